"""How labels are written: numbers in local notation, lists as texts, and different spellings of one label.

None of these is interpreted without telling the user: 1,5 may be a number or the name of a class.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from data.sources.cells import is_digits, label_text, parse_number, plain_number

SIGNS = "$€£¥₹"
# 1.234,5 and 1 234 and 5 % and $1,000; the space between thousands may be narrow or non-breaking
LOCAL = re.compile(rf"[+-]?\s?[{SIGNS}]?\s?(\d+|\d{{1,3}}([.,'’\s]\d{{3}})+)([.,]\d+)?\s?[%‰{SIGNS}]?")
JOINED = re.compile(r"""['"]\s+['"]""")  # numpy's ['a' 'b'], which Python reads as ['ab']
TRUTH = {"true": "1", "false": ""}  # the common spelling of 1 and 0; a file made by two programs may have both
MOST_NOTES = 5
SEPARATORS = (";", "|", ",")


def is_local_number(value: str) -> bool:
    """Return whether this is a number that Python does not parse, such as 1,5 or 30 % or $1,000."""
    return parse_number(value) is None and LOCAL.fullmatch(value) is not None


def parse_list(value: str) -> list[str] | None:
    """Return the labels of a list in JSON or Python notation; None for any other text."""
    if not (value.startswith("[") and value.endswith("]")) or JOINED.search(value):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list) and all(isinstance(one, str | int | float) for one in found):
            return [label_text(one, value) for one in found]
    return None


def likely_separator(values: Sequence[str]) -> tuple[str, str] | None:
    """Return a separator that seems to join several labels in one text, and such a text; None if there is none.

    At least half of the joined parts must occur in another of these texts too: those of "red;blue" beside "red;green",
    not those of "Health, safety" beside "Sport".
    """
    for separator in SEPARATORS:
        parts = {value: {part.strip() for part in value.split(separator)} for value in values}
        joined = [value for value, found in parts.items() if len(found) > 1 and all(found)]
        texts_with = Counter(part for found in parts.values() for part in found)
        all_joined = {part for value in joined for part in parts[value]}
        if joined and 2 * sum(texts_with[part] > 1 for part in all_joined) >= len(all_joined):
            return separator, joined[0]
    return None


def spelling_notes(values: Sequence[str]) -> list[str]:
    """Return a note for each group of labels that differ only in case, blanks, hyphens or leading zeros, or as true
    and 1 do.
    """
    groups: dict[str, list[str]] = {}
    for value in values:
        groups.setdefault(_common_spelling(value), []).append(value)
    return [
        f"the labels {', '.join(map(repr, group))} differ only in spelling, and each is a separate label; if they "
        "mean the same, spell them the same way"
        for group in groups.values()
        if len(group) > 1
    ][:MOST_NOTES]


def merged_numbers(values: Iterable[str]) -> list[str]:
    """Return distinct labels where whole numbers that are equal, such as 1, +1 and 1.0, are one label, written plainly.

    A number that occurs in one form only keeps that form, as it may be the name of a version.
    """
    forms: dict[str, list[str]] = {}
    for value in dict.fromkeys(values):
        forms.setdefault(plain_number(value), []).append(value)
    return [plain if len(found) > 1 else found[0] for plain, found in forms.items()]


def ids_by_number(ids: Mapping[str, int]) -> dict[str, int]:
    """Return the ids of labels by their plain form too (1 for 1.0), for looking up a label in another form."""
    return {plain_number(value): index for value, index in ids.items()} | dict(ids)


def _common_spelling(value: str) -> str:
    """Return the normalised spelling of a label: case-folded, separators unified, without plus and leading zeros."""
    if is_digits(value):
        return ("-" if value.startswith("-") else "") + value.lstrip("+-0")
    is_named = any(letter.isalnum() for letter in value)
    common = re.sub(r"[\s_-]+", " ", value.casefold()) if is_named else value
    return TRUTH.get(common, common)
