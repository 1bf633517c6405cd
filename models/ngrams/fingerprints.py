"""N-grams of hashed words, and their fingerprints.

An n-gram is hashed from the hashes of its words: s = s x K1 + word, starting at 0, modulo 2^32. So the hash of n words
follows from that of the first n - 1, without building any string. Its fingerprint is the upper `bits` bits of s x K2
modulo 2^32. With 32 bits no information is lost (K2 is odd); shorter fingerprints make the file smaller.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

K1, K2 = np.uint32(0x85EBCA6B), np.uint32(0x9E3779B1)
NO_WORD = 0  # padding, or the only token of a text without words
WIDEST = 32  # bits of a hash
FEWEST_BITS, SPARE_BITS = 8, 10  # with 10 spare bits, about one in 1,024 unseen n-grams hits a row


@dataclass(frozen=True)
class Grams:
    """The n-grams of some rows, one entry per occurrence."""

    hashes: np.ndarray  # (N,) uint32
    rows: np.ndarray  # (N,) the row of each, int64, or int32 where there are many

    def prints(self, bits: int) -> np.ndarray:
        """Return the fingerprints, (N,) uint32."""
        return fingerprints_of(self.hashes, bits)


def find_grams(words: np.ndarray, rows: np.ndarray, n: int) -> Grams:
    """Return the n-grams of 1 to n words.

    words: (T,) hashes of all rows, concatenated; rows: (T,) the row of each, ascending.
    """
    real = words != NO_WORD
    words, rows = words[real].astype(np.uint32), rows[real]
    hashes, ends = words, rows
    found, of_row = [hashes], [ends]
    for length in range(1, n):
        hashes = hashes[:-1] * K1 + words[length:]
        ends = rows[length:]
        inside = rows[: len(hashes)] == ends
        found.append(hashes[inside])
        of_row.append(ends[inside])
    return Grams(np.concatenate(found), np.concatenate(of_row))


def hash_of(word: str) -> int:
    """Return the hash of a word: CRC-32 of its UTF-8 bytes, plus 1, modulo 2^32."""
    return (zlib.crc32(word.encode()) + 1) & 0xFFFFFFFF


def text_grams(words: np.ndarray, is_characters: np.ndarray, n: int) -> Grams:
    """Return the word n-grams and the character n-grams, which are already hashed.

    words: (B, T) hashes; is_characters: (B, T) bool, which of them are character n-grams.
    """
    batch, length = words.shape
    of_row = np.repeat(np.arange(batch), length).reshape(batch, length)
    found = find_grams(words[~is_characters], of_row[~is_characters], n)
    return Grams(
        np.concatenate([found.hashes, words[is_characters].astype(np.uint32)]),
        np.concatenate([found.rows, of_row[is_characters]]),
    )


def fingerprints_of(hashes: np.ndarray, bits: int) -> np.ndarray:
    """Return the fingerprints of hashes, uint32 below 2^bits."""
    found: np.ndarray = (hashes * K2) >> np.uint32(WIDEST - bits)
    return found


def bits_for(count: int) -> int:
    """Return the number of fingerprint bits for `count` n-grams."""
    return min(WIDEST, max(FEWEST_BITS, max(count - 1, 0).bit_length() + SPARE_BITS))


def sum_rows(prints: np.ndarray, table: np.ndarray, found: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the sum of the table's rows over the distinct fingerprints of each text, (count, columns) int64.

    prints: (n,) fingerprints of the table's rows, ascending; table: (n, columns) int8; found, rows: (N,) the texts'
    fingerprints, and the text of each.
    """
    total = np.zeros((count, table.shape[1]), np.int64)
    if not len(prints) or not len(found):
        return total
    places = np.searchsorted(prints, found)
    np.minimum(places, len(prints) - 1, out=places)
    hit = prints[places] == found
    keys = np.unique(rows[hit] * len(prints) + places[hit])
    if not len(keys):
        return total
    texts, places = keys // len(prints), keys % len(prints)
    starts = np.flatnonzero(np.concatenate([[True], texts[1:] != texts[:-1]]))
    total[texts[starts]] = np.add.reduceat(table[places].astype(np.int64), starts, axis=0)
    return total
