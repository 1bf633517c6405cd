"""Splits a text into words with their positions, for models that tag words; a tagger's bundle has a copy of it."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from data.targets.written_text import AROUND, MARKS, lower_case

PART = "\ufffe"  # no character: stands for accents, vowel signs and joiners, which are parts of words and symbols
# Letters and digits with single marks between them (3.14, U.S, it's, e-mail); a name with @ or #; any other symbol.
WORD = re.compile(rf"[@#]?[\w{PART}]+(?:[.,'’@&+/-][\w{PART}]+)*|[^\w\s]{PART}*")

JOINERS = "\u200c\u200d"  # zero-width: inside words of Persian and of Indian languages, and between emojis


def split_words(text: str) -> tuple[list[str], np.ndarray]:
    """Return the words and symbols of a text, and where each starts and ends in it, (words, 2) int64 characters."""
    found = [match.span() for match in WORD.finditer(_joined(text))]
    return [text[start:end] for start, end in found], np.array(found, np.int64).reshape(-1, 2)


def _joined(text: str) -> str:
    """Return the text with accents, vowel signs and joiners replaced by PART.

    Python's \\w does not match them, so words of Hindi, or words with decomposed letters, would be split, and the
    invisible sign in an emoji such as a red heart would be a word of its own.
    """
    if text.isascii():
        return text
    return "".join(PART if unicodedata.category(sign)[0] == "M" or sign in JOINERS else sign for sign in text)


def split_bare(text: str, language: str) -> tuple[list[str], np.ndarray]:
    """Return the words of a text in lower case without surrounding punctuation, and their places as `split_words`."""
    words, places = list[str](), list[tuple[int, int]]()
    for match in re.finditer(r"\S+", text):
        core = match[0].strip(AROUND + MARKS)
        if core:
            start = match.start() + match[0].index(core)
            words.append(lower_case(core, language))
            places.append((start, start + len(core)))
    return words, np.array(places, np.int64).reshape(-1, 2)


def find_words(text: str, words: list[str]) -> np.ndarray:
    """Return where pre-split words start and end in their text, (words, 2) int64; words must be in text order."""
    places, at = np.zeros((len(words), 2), np.int64), 0
    for i, word in enumerate(words):
        start = text.index(word, at)
        at = start + len(word)
        places[i] = start, at
    return places
