"""The character n-grams of words, as hashes beside those of the words.

The n-grams of a word are the runs of `low` to `high` characters of `<word>`; a token of one character has none. Each is
hashed as the sequence of the word `c` and the n-gram, so that none is mistaken for a word.
runner/deploy/bundle/characters.py and runner/deploy/page/reader.js compute the same for a model.bin.
"""

from __future__ import annotations

import zlib

import numpy as np

MODULUS = 1 << 32
START = (zlib.crc32(b"c") + 1) * 0x85EBCA6B % MODULUS  # K1 of models/ngrams/prints.py
MOST_WORDS = 100_000  # in the cache, which is emptied then; a word of 8 letters has 26 n-grams of 2 to 5 characters


class CharacterGrams(dict[str, np.ndarray]):
    """The hashes of the character n-grams of each word seen so far, (N,) uint32, each once."""

    def __init__(self, low: int, high: int) -> None:
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
        self[word] = found = np.array([(START + zlib.crc32(gram) + 1) % MODULUS for gram in sorted(grams)], np.uint32)
        return found

    def of_words(self, words: list[str]) -> np.ndarray:
        """Return the hashes of a text's words, (N,) uint32, ascending, each once."""
        parts = [self[word] for word in dict.fromkeys(words)]
        return np.unique(np.concatenate([np.zeros(0, np.uint32), *parts]))
