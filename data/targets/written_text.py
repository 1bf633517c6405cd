"""Splits text into words, punctuation and case labels, and back, for models that restore punctuation and case.

    words, marks, cases = read_written("Dr. Smith asked, why?", FOUR)

There are two label sets. FOUR: O, COMMA (also ; and :), PERIOD (also ! and ...) and QUESTION, without dashes; LOWER,
CAP, UPPER and MIXED. NINE: the marks . , ? ! ; : - ' themselves and `non`; `non`, `one` (first letter) and `cap` (all
letters); apostrophes and hyphens then split words. Lower-casing follows the language: Turkish has I and İ, ı and i.
A tagger's bundle has a copy of this file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

COMMAS, PERIODS, QUESTIONS = ",;:，；：、", ".!…。！", "?？؟"
DASHES, APOSTROPHES = "-‐‑–—―", "'’ʼ"
MARKS = COMMAS + PERIODS + QUESTIONS
AROUND = '"()[]{}<>«»‹›„“”‘‚`´¿¡*_|' + APOSTROPHES + DASHES  # characters that may surround a word and its mark
TURKISH = ("tr", "az")  # languages in which I is the capital of ı, and İ of i


class Written(NamedTuple):
    """The lower-case words of a text, the mark after each, and its case label; three lists of equal length."""

    words: list[str]
    marks: list[str]
    cases: list[str]


@dataclass(frozen=True)
class LabelSet:
    """The labels for punctuation marks and for case."""

    none: str
    marks: dict[str, str]  # written mark -> its label
    written: dict[str, str]  # label -> how it is written after a word
    lower: str
    first: str
    upper: str
    mixed: str
    splits: str = ""  # marks inside a word that split it


FOUR = LabelSet(
    "O",
    {**dict.fromkeys(COMMAS, "COMMA"), **dict.fromkeys(PERIODS, "PERIOD"), **dict.fromkeys(QUESTIONS, "QUESTION")},
    {"COMMA": ",", "PERIOD": ".", "QUESTION": "?"},
    "LOWER", "CAP", "UPPER", "MIXED",
)  # fmt: skip
_KEPT = {mark: mark for mark in ".,?!;:-'"}
NINE = LabelSet(
    "non",
    {**dict.fromkeys(DASHES, "-"), **dict.fromkeys(APOSTROPHES, "'"), "…": ".", "。": ".", "？": "?", "！": "!",
     "，": ",", "、": ",", "；": ";", "：": ":", "؟": "?", **_KEPT},
    _KEPT, "non", "one", "cap", "one", splits=DASHES + APOSTROPHES,
)  # fmt: skip


def lowers_as_turkish(language: str) -> bool:
    """Return whether this language, such as "tr" or "az-AZ", has I and İ, ı and i."""
    return language.split("-")[0].split("_")[0] in TURKISH


def lower_case(text: str, language: str = "") -> str:
    """Return the text in lower case, in NFC; with language "tr" or "az", I -> ı and İ -> i."""
    if lowers_as_turkish(language):
        text = unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", text.lower())


def upper_case(text: str, language: str = "") -> str:
    """Return the text in upper case; with language "tr" or "az", ı -> I and i -> İ."""
    if lowers_as_turkish(language):
        text = text.replace("i", "İ").replace("ı", "I")
    return text.upper()


def read_written(text: str, labels: LabelSet = FOUR, language: str = "") -> Written:
    """Return the words of a text in lower case with their marks and cases.

    A word keeps marks inside it (3.14, it's, u.s); quotes and brackets around it are removed. Of several marks after it
    the last counts, or a question mark if there is one. A mark on its own goes to the previous word if that has none.
    """
    found = Written([], [], [])
    for written in text.split():
        for part, inner in _split(written, labels):
            core, mark = _peel(part, labels)
            mark = inner or mark
            if core:
                found.words.append(lower_case(core, language))
                found.marks.append(mark or labels.none)
                found.cases.append(case_of(core, labels))
            elif mark and found.words and found.marks[-1] == labels.none:
                found.marks[-1] = mark
    return found


def case_of(word: str, labels: LabelSet = FOUR) -> str:
    """Return the case label of a word; a word without letters, or with only lower-case ones, is LOWER."""
    letters = [letter for letter in word if letter.isalpha()]
    capital = [letter.isupper() or letter.istitle() for letter in letters]
    if not any(capital):
        return labels.lower
    if len(letters) > 1 and all(capital):
        return labels.upper
    if capital[0] and not any(capital[1:]):
        return labels.first
    return labels.mixed if labels.mixed != labels.first or capital[0] else labels.lower


def are_marks(names: Sequence[str]) -> bool:
    """Return whether these tags are punctuation marks that follow words."""
    marks = {*FOUR.written, *NINE.written}
    return bool({*names} & marks) and {*names} <= {*marks, FOUR.none, NINE.none}


def are_cases(names: Sequence[str]) -> bool:
    """Return whether these tags are case labels."""
    cases = {FOUR.first, FOUR.upper, FOUR.mixed, NINE.first, NINE.upper}
    return bool({*names} & cases) and {*names} <= {*cases, FOUR.lower, NINE.lower}


def leaks(words: Sequence[str], language: str = "") -> str | None:
    """Return how words give away what should be restored, by a capital or a final mark; None if they do not."""
    for word in words:
        if word != lower_case(word, language):
            return f"{word!r} has capital letters"
        if word[-1:] in tuple(MARKS):
            return f"{word!r} ends in a mark"
    return None


def restore(words: Sequence[str], marks: Sequence[str], cases: Sequence[str], language: str = "") -> str:
    """Return the text for words, marks and cases (of either label set); MIXED words stay in lower case."""
    text, glued = "", True
    for word, mark, case in zip(words, marks, cases, strict=True):
        if case in (FOUR.first, NINE.first):
            word = _capital(word, language)
        elif case in (FOUR.upper, NINE.upper):
            word = upper_case(word, language)
        text += ("" if glued else " ") + word + FOUR.written.get(mark, NINE.written.get(mark, ""))
        glued = mark in ("'", "-")
    return text


def _capital(word: str, language: str) -> str:
    """Return the word with its first letter in upper case."""
    at = next((i for i, letter in enumerate(word) if letter.isalpha()), 0)
    return word[:at] + upper_case(word[at : at + 1], language) + word[at + 1 :]


def _split(written: str, labels: LabelSet) -> list[tuple[str, str]]:
    """Split a word at marks inside it; return its parts, each with the mark that ended it, or ""."""
    parts, begun = list[tuple[str, str]](), 0
    for i, letter in enumerate(written):
        inside = 0 < i < len(written) - 1 and written[i - 1].isalnum() and written[i + 1].isalnum()
        if inside and letter in labels.splits:
            parts.append((written[begun:i], labels.marks[letter]))
            begun = i + 1
    return [*parts, (written[begun:], "")]


def _peel(part: str, labels: LabelSet) -> tuple[str, str]:
    """Return a word without surrounding characters, and the label of its mark, or ""."""
    core = part.strip(AROUND + MARKS)
    after = part[part.rindex(core) + len(core) :] if core else part
    marks = [labels.marks[letter] for letter in after if letter in labels.marks]
    # A closing quote, such as ' after "the dogs'", is not an apostrophe; of several marks the last one counts.
    marks = [mark for mark in marks if mark != "'"]
    question = labels.marks["?"]
    return core, question if question in marks else marks[-1] if marks else ""
