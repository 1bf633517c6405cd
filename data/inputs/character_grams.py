"""Hashes of the character n-grams of words, in addition to those of the words.

The n-grams of a word are the substrings of `low` to `high` characters of `<word>`; a one-character token has none. Each
is hashed as the sequence of the word `c` and the n-gram, so that none is mistaken for a word.
runner/deploy/bundle/characters.py and runner/deploy/page/reader.js compute the same for a model.bin.
"""

from __future__ import annotations

import zlib
from itertools import chain

import numpy as np

MODULUS = 1 << 32
ROW_BITS = np.uint64(32)  # the row number is stored above the hash, so that a single sort keeps rows apart
START = (zlib.crc32(b"c") + 1) * 0x85EBCA6B % MODULUS  # K1 of models/ngrams/fingerprints.py
MOST_WORDS = 100_000  # cache size, emptied when full; a word of 8 letters has 26 n-grams of 2 to 5 characters


class CharacterGrams(dict[str, np.ndarray]):
    """The hashes of the distinct character n-grams of each word seen so far, (N,) uint32."""

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

    def of_rows(self, rows: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's distinct n-gram hashes, ascending, all rows end to end, uint32, and the count per row."""
        parts = [[self[word] for word in dict.fromkeys(words)] for words in rows]
        sizes = np.fromiter((sum(map(len, found)) for found in parts), np.uint64, len(parts))
        hashes = np.concatenate([np.zeros(0, np.uint32), *chain.from_iterable(parts)])
        row = np.repeat(np.arange(len(rows), dtype=np.uint64), sizes.astype(np.int64)) << ROW_BITS
        found = np.sort(row | hashes)  # np.unique, which hashes, takes three times as long
        found = found[np.concatenate([np.ones(min(1, len(found)), bool), found[1:] != found[:-1]])]
        counts = np.bincount((found >> ROW_BITS).astype(np.int64), minlength=len(rows))
        return found.astype(np.uint32), counts
