"""Finds words whose accents, vowel signs and joiners are parts of them; a bundle has a copy of this file.

Python's \\w does not match these marks, so that without this a word of Hindi is several tokens, most of them single
letters, which have no character n-grams. Where only words are read they are still split at marks: with few rows the
parts are better features than whole words, above all in scripts without spaces. Standard library only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain

# The name of this rule in words.json and model.bin. Python has no \p, so `marked_pattern` lists the marks.
MARKED = r"\w+(?:[\p{M}\u200c\u200d]+\w*)*|[^\w\s][\p{M}\u200c\u200d]*"
JOINERS = (0x200C, 0x200D)  # zero-width: inside words of Persian and of Indian languages, and between emojis
PLACES = (range(0x300, 0x20000), range(0xE0100, 0xE01F0))  # Unicode has no marks elsewhere


@cache
def marked_pattern() -> re.Pattern[str]:
    """Return the pattern that finds the words, and each other visible character with its marks."""
    marks = "".join(f"{chr(first)}-{chr(last)}" for first, last in _mark_ranges())
    return re.compile(rf"\w+(?:[{marks}]+\w*)*|[^\w\s][{marks}]*")


def _mark_ranges() -> list[tuple[int, int]]:
    """Return the first and the last code of each run of marks."""
    found = list[tuple[int, int]]()
    for code in chain(*PLACES):
        if unicodedata.category(chr(code))[0] == "M" or code in JOINERS:
            first = found.pop()[0] if found and found[-1][1] == code - 1 else code
            found.append((first, code))
    return found


def pattern_of(name: str) -> re.Pattern[str]:
    """Return the pattern that a file names by MARKED; raise ValueError for another name."""
    if name != MARKED:
        raise ValueError("its texts are split differently than by this reader")
    return marked_pattern()
