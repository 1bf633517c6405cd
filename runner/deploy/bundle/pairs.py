"""The features of a pair of texts, for a model over n-grams; equal to models/ngrams/pairs.py.

Imported by predict.py, beside which it lies, where a model reads two texts.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np

FACTOR, MODULUS = 0x85EBCA6B, 1 << 32
K1 = np.uint32(FACTOR)
MOST_CROSSED = 40  # words of each text that are paired with the other's


def pair_hashes(first: np.ndarray, second: np.ndarray, grams: int, symmetric: bool, cross: bool) -> np.ndarray:
    """Return the hashes of the features of a pair, uint32.

    first, second: the hashes of the words of both texts, uint32.

    grams: words in the longest n-gram of the second text; symmetric: does the order of the texts mean nothing? cross:
    are words of one text paired with the other's?
    """
    one, two = set(first.tolist()), set(second.tolist())
    shared, left, right = (np.array(sorted(found), np.uint32) for found in (one & two, one - two, two - one))
    parts = [shared + np.uint32(start("s"))]
    if symmetric:
        parts += [left + np.uint32(start("d")), right + np.uint32(start("d"))]
    else:
        parts += [left + np.uint32(start("-")), right + np.uint32(start("+"))]
        hashes = second
        for length in range(1, grams + 1):
            parts.append(hashes + np.uint32(start("2", length)))
            hashes = hashes[:-1] * K1 + second[length:]
    if cross:
        kept_left, kept_right = left[:MOST_CROSSED], right[:MOST_CROSSED]
        a, b = np.repeat(kept_left, len(kept_right)), np.tile(kept_right, len(kept_left))
        if symmetric:
            a, b = np.minimum(a, b), np.maximum(a, b)
        parts.append(np.uint32(start("x", 2)) + a * K1 + b)
    numbers = symmetric_numbers if symmetric else directed_numbers
    values = numbers(first, second, len(shared), len(left), len(right))
    parts.append(np.array([step(kind, value) for kind, value in values.items()], np.uint32))
    return np.concatenate(parts)


def cut_longest(one: int, two: int, room: int) -> tuple[int, int]:
    """Return how many words stay of each text of a pair: the longer is cut first, then both to half."""
    short, long = sorted((one, two))
    long_kept, short_kept = min(long, max(short, room - short)), short
    if short + long_kept > room:
        short_kept, long_kept = room // 2, room // 2 + room % 2
    return (long_kept, short_kept) if one > two else (short_kept, long_kept)


@cache
def word(text: str) -> int:
    """Return the hash of a word."""
    return (zlib.crc32(text.encode()) + 1) % MODULUS


@cache
def start(kind: str, length: int = 1) -> int:
    """Return the part of a hash that the word for the kind of a feature adds, before so many more words."""
    return word(kind) * pow(FACTOR, length, MODULUS) % MODULUS


@cache
def step(kind: str, value: int) -> int:
    """Return the hash of a count or a share."""
    return ((word("L") * FACTOR + word(kind)) * FACTOR + word(str(value))) % MODULUS


def directed_numbers(first: np.ndarray, second: np.ndarray, shared: int, left: int, right: int) -> dict[str, int]:
    """Counts and shares of a pair in this order."""
    one, two = neighbours(first), neighbours(second)
    return {
        "b": min(right, 12),
        "a": min(left // 2, 10),
        "sb": tenths(shared, shared + right),
        "sa": tenths(shared, shared + left),
        "sp": tenths(len(one & two), len(two)),
        "d": max(-6, min(6, (len(second) - len(first)) // 2)),
    }


def symmetric_numbers(first: np.ndarray, second: np.ndarray, shared: int, left: int, right: int) -> dict[str, int]:
    """Counts and shares of a pair in any order."""
    one, two = neighbours(first), neighbours(second)
    return {
        "o": min((left + right) // 2, 12),
        "m": min(left, right, 6),
        "su": tenths(shared, shared + left + right),
        "sp": tenths(len(one & two), len(one | two)),
        "d": min(6, abs(len(second) - len(first)) // 2),
    }


def tenths(part: int, whole: int) -> int:
    """Return a share in whole tenths; 0 of nothing."""
    return 10 * part // whole if whole else 0


def neighbours(words: np.ndarray) -> set[int]:
    """Return the hashes of pairs of neighbouring words."""
    return set((words[:-1] * K1 + words[1:]).tolist())
