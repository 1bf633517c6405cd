"""Words and scripts of texts before they are tokenised, counted in rows that are evenly spaced over a split.

Words are split as in the n-gram models. At most SAMPLE rows are read, so a million rows take no longer than 20,000.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from data.inputs.hashed_words import PATTERN
from data.sources.raw import CHUNK, RawSplit

SAMPLE = 20_000  # rows whose words are counted
MAIN_SCRIPT = 0.2  # a script is named if at least this share of the letters is in it

_find = re.compile(PATTERN).findall


def sample_rows(rows: int, most: int = SAMPLE) -> np.ndarray:
    """Return at most `most` row numbers, sorted, evenly spaced over `rows`."""
    return np.unique(np.linspace(0, rows - 1, min(most, rows)).round().astype(int))


def sample_columns(split: RawSplit, most: int = SAMPLE) -> Iterator[tuple[str, ...]]:
    """Yield the texts of at most `most` rows, evenly spaced over the split: one or two each; words joined by spaces."""
    chosen = sample_rows(len(split), most)
    for start in range(0, len(chosen), CHUNK):
        columns = split.read(chosen[start : start + CHUNK])
        for cells in zip(*columns.values()):
            yield tuple(cell if isinstance(cell, str) else " ".join(cell) for cell in cells)


def sample_texts(split: RawSplit, most: int = SAMPLE) -> Iterator[str]:
    """Yield the same rows as `sample_columns`, with the two texts of a pair joined by a space."""
    return (" ".join(cells) for cells in sample_columns(split, most))


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the distinct words of texts."""
    return {word for text in texts for word in find_words(text)}


def new_word_share(texts: Iterable[str], known: set[str]) -> float:
    """Return the share of word occurrences in the texts whose word is not known."""
    counts = Counter(word for text in texts for word in find_words(text))
    return sum(count for word, count in counts.items() if word not in known) / max(1, counts.total())


def find_words(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    return _find(text.lower())


def script_shares(texts: Iterable[str]) -> dict[str, float]:
    """Return the share of letters in each script, most frequent first, by Unicode name, such as LATIN or CJK."""
    letters = Counter[str]()
    for text in texts:
        letters.update(text)
    scripts = Counter[str]()
    for letter, count in letters.items():
        if letter.isalpha():
            scripts[script_of(letter)] += count
    whole = max(1, scripts.total())
    return {name: count / whole for name, count in scripts.most_common()}


def scripts_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the scripts with a share of at least MAIN_SCRIPT, most frequent first, by Unicode name, such as LATIN."""
    return tuple(name for name, share in script_shares(texts).items() if share >= MAIN_SCRIPT)


@cache
def script_of(letter: str) -> str:
    """Return the first word of a letter's Unicode name, which is its script."""
    return unicodedata.name(letter, "UNKNOWN").split()[0].partition("-")[0]
