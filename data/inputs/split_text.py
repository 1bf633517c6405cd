"""A text split into words, with their places in it, for models that tag words."""

from __future__ import annotations

import re

import numpy as np

from data.targets.written_text import AROUND, MARKS, lower_case

# Letters and digits with single marks between them (3.14, U.S, it's, e-mail); a name with @ or #; any other sign alone.
WORD = re.compile(r"[@#]?\w+(?:[.,'’@&+/-]\w+)*|[^\w\s]")


def split_words(text: str) -> tuple[list[str], np.ndarray]:
    """Return the words and signs of a text, and where each starts and ends in it, (words, 2) int64 characters."""
    found = list(WORD.finditer(text))
    places = np.array([match.span() for match in found], np.int64).reshape(-1, 2)
    return [match[0] for match in found], places


def split_bare(text: str, language: str) -> tuple[list[str], np.ndarray]:
    """Return the words of a text in small letters and without marks around them, and their places as `split_words`."""
    words, places = list[str](), list[tuple[int, int]]()
    for match in re.finditer(r"\S+", text):
        core = match[0].strip(AROUND + MARKS)
        if core:
            start = match.start() + match[0].index(core)
            words.append(lower_case(core, language))
            places.append((start, start + len(core)))
    return words, np.array(places, np.int64).reshape(-1, 2)


def find_words(text: str, words: list[str]) -> np.ndarray:
    """Return where words that were given apart start and end in their text, (words, 2) int64; one after the other."""
    places, at = np.zeros((len(words), 2), np.int64), 0
    for i, word in enumerate(words):
        start = text.index(word, at)
        at = start + len(word)
        places[i] = start, at
    return places
