"""The character n-grams of the words of a text, for a model over n-grams; equal to data/inputs/character_grams.py.

Imported by predict.py, beside which it lies, where a model reads them.
"""

from __future__ import annotations

import zlib

import numpy as np

if __package__:
    from data.inputs.marked_words import pattern_of
else:  # copied into a bundle
    from marked_words import pattern_of  # type: ignore[import-not-found,no-redef]

__all__ = ["CharacterGrams", "pattern_of"]

MODULUS = 1 << 32
START = (zlib.crc32(b"c") + 1) * 0x85EBCA6B % MODULUS
LONGEST = 64  # characters of an n-gram
MOST_WORDS = 100_000  # in the cache, which is emptied then


class CharacterGrams(dict[str, np.ndarray]):
    """The hashes of the runs of `low` to `high` characters of `<word>`, uint32; none of a token of one character."""

    def __init__(self, low: int, high: int) -> None:
        if not 1 <= low <= high <= LONGEST:
            raise ValueError(f"character n-grams of {low} to {high} characters")
        super().__init__()
        self.low, self.high = low, high

    def __missing__(self, word: str) -> np.ndarray:
        if len(self) >= MOST_WORDS:
            self.clear()
        marked = f"<{word}>" if len(word) > 1 else ""
        grams = {
            marked[start : start + length].encode()
            for length in range(self.low, self.high + 1)
            for start in range(len(marked) - length + 1)
        }
        found = self[word] = np.array([(START + zlib.crc32(gram) + 1) % MODULUS for gram in grams], np.uint32)
        return found

    def of_words(self, words: list[str]) -> list[np.ndarray]:
        """Return the hashes of each word; one may occur in several."""
        return list(map(self.__getitem__, words))
