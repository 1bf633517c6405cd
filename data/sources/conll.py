"""Words and their tags: columns of a CoNLL file, and cells that hold lists (JSON, Parquet, the hub).

    for number, row in conll_rows(stream, "ner.conll", {"data.tokens": "0", "data.tags": "-1"}): row["0"], row["-1"]

A CoNLL file has one word per line, columns separated by tabs or spaces, and a blank line after each row. Columns are
numbered from 0, or from the end with -1. Skipped are -DOCSTART- lines, comments above a row (# with another number of
columns), and the lines of multiword tokens (1-2) and empty nodes (5.1) in CoNLL-U.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeGuard

from data.counted import counted
from data.errors import DataError, MissingColumn
from data.json_types import JsonObject
from data.sources.cells import as_text, is_digits, label_text

DOCUMENT = "-DOCSTART-"
BESIDE_WORDS = re.compile(r"[0-9]+[-.][0-9]+")  # ids of multiword tokens and empty nodes in CoNLL-U
BLANK = " \t\r\n"
SHOWN = 5  # first words of a row in a message


def conll_rows(stream: Iterable[str], where: str, columns: Mapping[str, str]) -> Iterator[tuple[int, JsonObject]]:
    """Yield each row as the lists of its columns, with the number of its first line.

    columns: number of the column by setting ("data.tokens": "0"); the lists are keyed by these numbers. Raises
    DataError for a line whose number of columns differs from the lines before.
    """
    numbers = {key: int(column) for key, column in columns.items()}
    lines, separator, usual = _form(iter(stream))
    comment = "#" if separator == "\t" else "# "
    row: list[list[str]] = []
    begun = width = 0
    for at, line in enumerate(lines, 1):
        if not line.strip(BLANK):
            if row:
                yield begun, _columns(row, numbers)
            row = []
            continue
        fields = _fields(line, separator)
        if fields[0] == DOCUMENT or (not row and line.startswith(comment) and len(fields) != usual):
            continue  # a comment above a row, not the word #
        width = width or _checked_width(fields, numbers, where, at)
        if len(fields) != width:
            raise _ragged(where, at, fields, width, row)
        begun = begun if row else at
        row.append(fields)
    if row:
        yield begun, _columns(row, numbers)


def words_of(value: object, where: str) -> list[str]:
    """Return a cell of the tokens' column as words; DataError for a cell that is not a list, and for a nested list."""
    if isinstance(value, str):
        raise DataError(
            f"{where} holds a text ({value[:40]!r}), not a list of words. Try: data.text=<that column> without "
            "data.tokens, if each row has one label; else split it into words"
        )
    if not isinstance(value, list | tuple):
        raise DataError(f"{where} holds {_no_list(value, 'words', 'data.tokens')}")
    return ["" if word is None else as_text(word, where, "data.tokens") for word in value]


def tags_of(value: object, names: tuple[str, ...], where: str, key: str = "data.tags") -> list[str]:
    """Return a cell of a tags' column as tag names; DataError for a tag that is missing or has no name.

    names: of the tags by id, from the dataset or the user; () if the cells hold the tags themselves.
    """
    if not isinstance(value, list | tuple):
        raise DataError(f"{where} holds {_no_list(value, 'tags', key.partition('=')[0])}")
    found = list[str]()
    for tag in value:
        if names and _is_id(tag, names):
            if not 0 <= int(tag) < len(names):
                raise DataError(f"{where} has the tag {tag}, but only {len(names)} tags are named: {', '.join(names)}")
            tag = names[int(tag)]
        text = label_text(tag, where)
        if not text:
            raise DataError(f"{where} has a word without a tag (word {len(found) + 1}). Fix that row")
        found.append(text)
    return found


def _no_list(value: object, what: str, key: str) -> str:
    """Return the end of the message for a cell that is not a list, with the cure; what: words or tags."""
    if value is None:
        return f"no {what}. Fix that row, or try: {key}=<a column of lists>"
    return f"{value!r:.80}, not a list of {what}. Try: {key}=<a column of lists>"


def _is_id(tag: object, names: tuple[str, ...]) -> TypeGuard[int | str]:
    """Return whether a tag is the id of a name, and not a tag that is a number, such as a class 1 named "1"."""
    if isinstance(tag, str):
        return is_digits(tag) and tag not in names
    return isinstance(tag, int) and not isinstance(tag, bool)


def check_lengths(words: list[str], tags: list[str], where: str, key: str = "data.tags") -> None:
    """Raise DataError for a row whose words and tags differ in number."""
    if len(words) != len(tags):
        raise DataError(
            f"{where} has {len(words)} words and {len(tags)} tags ({key}); each word needs one. The row begins: "
            f"{' '.join(words[:SHOWN])!r}. Fix that row"
        )


def _form(lines: Iterator[str]) -> tuple[Iterator[str], str, int]:
    """Return all lines, their column separator, and the number of columns of the first line with a word.

    The separator is a tab if that line has one, else a space.
    """
    seen = []
    for line in lines:
        seen.append(line)
        if line.strip(BLANK) and not line.startswith(("#", DOCUMENT)):
            break
    separator = "\t" if seen and "\t" in seen[-1] else " "
    return chain(seen, lines), separator, len(_fields(seen[-1], separator)) if seen else 0


def _fields(line: str, separator: str) -> list[str]:
    """Return the columns of a line; several spaces count as one."""
    fields = line.rstrip("\r\n").split(separator)
    return fields if separator == "\t" else [field for field in fields if field]


def _columns(row: list[list[str]], numbers: Mapping[str, int]) -> JsonObject:
    """Return the wanted columns of a row, by their number."""
    words = _words_of_conllu(row, numbers) or row
    return {str(number): [fields[number] for fields in words] for number in numbers.values()}


def _words_of_conllu(row: list[list[str]], numbers: Mapping[str, int]) -> list[list[str]]:
    """Return a row without multiword tokens and empty nodes; [] if its first column does not number the words.

    Other formats have ids such as 1-2 too, of sentence and word, so the lines that remain must be numbered 1, 2, 3, ...
    """
    if any(number % len(row[0]) == 0 for number in numbers.values()):
        return []  # the first column holds words or tags
    words = [fields for fields in row if not BESIDE_WORDS.fullmatch(fields[0])]
    is_numbered = all(fields[0] == str(number) for number, fields in enumerate(words, 1))
    return words if is_numbered else []


def _checked_width(fields: list[str], numbers: Mapping[str, int], where: str, at: int) -> int:
    """Return the number of columns; MissingColumn for a number beyond them or two settings for one column."""
    width = len(fields)
    for key, number in numbers.items():
        if not -width <= number < width:
            raise MissingColumn(
                key.rpartition(".")[2],
                f"{key}={number}: line {at} of {where} has {counted(width, 'column')}, 0 to {width - 1} or -{width} to "
                f"-1 ({' '.join(fields)!r:.80}). Try: {key}={'-1' if key.endswith('tags') else '0'}",
            )
    places = [number % width for number in numbers.values()]
    if len(set(places)) < len(places):
        both = " and ".join(f"{key}={number}" for key, number in numbers.items())
        raise DataError(
            f"{both} are the same column: line {at} of {where} has {width} ({' '.join(fields)!r:.80}). "
            "Try: data.tokens=0 data.tags=-1, with a tag after each word"
        )
    return width


def _ragged(where: str, at: int, fields: list[str], width: int, row: list[list[str]]) -> DataError:
    """Return the error for a line with too few or too many columns."""
    words = [line[0] for line in row[:SHOWN]] or fields[:1]
    return DataError(
        f"{where} line {at} has {counted(len(fields), 'column')} ({' '.join(fields)!r:.80}) and the lines before "
        f"{width}, so words and tags would differ in number. The row begins: {' '.join(words)!r}. Fix that line"
    )
