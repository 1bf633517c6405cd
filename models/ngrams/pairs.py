"""The features of a pair of texts for models over n-grams: words by where they occur, and how much the texts share.

A feature is a sequence whose first word says of which kind it is: `2` n-grams of the second text, `s` a word of both,
`-` and `+` a word of the first or the second alone, `x` one of each of these together, `L` counts and shares in steps.
Where the order of the texts means nothing, `d` is a word of one text alone, whichever, and no feature depends on the
order. The first text's own words are left out: they are noise in 4 of 5 measurements.
runner/deploy/bundle/pairs.py computes the same for a model.bin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from models.ngrams.prints import K1, NO_WORD, Grams, hash_of

MOST_CROSSED = 40  # words of each text that are paired with the other's
FACTOR, MODULUS = int(K1), 1 << 32


@dataclass(frozen=True)
class PairOptions:
    """symmetric: does the order of the texts mean nothing? cross: are words of one text paired with the other's?"""

    n: int
    symmetric: bool = False
    cross: bool = False

    def entry(self) -> dict[str, bool]:
        """Return what a config.json and a model.bin hold of them, beside `n`."""
        return {key: value for key, value in asdict(self).items() if key != "n"}


def pair_grams(pairs: Iterable[tuple[np.ndarray, np.ndarray]], options: PairOptions) -> Grams:
    """Return the features of pairs; of each the hashes of the words of both texts, uint32."""
    found = [pair_hashes(first[first != NO_WORD], second[second != NO_WORD], options) for first, second in pairs]
    rows = np.repeat(np.arange(len(found)), [len(hashes) for hashes in found])
    return Grams(np.concatenate([np.zeros(0, np.uint32), *found]), rows)


def pair_hashes(first: np.ndarray, second: np.ndarray, options: PairOptions) -> np.ndarray:
    """Return the hashes of the features of one pair, uint32; one may occur more than once."""
    one, two = set(first.tolist()), set(second.tolist())
    shared, left, right = _array(one & two), _array(one - two), _array(two - one)
    parts = [prefixed("s", shared)]
    if options.symmetric:
        parts.append(prefixed("d", np.concatenate([left, right])))
    else:
        parts += [prefixed("-", left), prefixed("+", right), *_second_grams(second, options.n)]
    if options.cross:
        parts.append(_crossed(left[:MOST_CROSSED], right[:MOST_CROSSED], options.symmetric))
    steps = _symmetric_steps if options.symmetric else _directed_steps
    parts.append(np.array(list(steps(first, second, len(shared), len(left), len(right))), np.uint32))
    return np.concatenate(parts)


@cache
def word(text: str) -> int:
    """Return the hash of a word."""
    return hash_of(text)


def prefixed(kind: str, words: np.ndarray) -> np.ndarray:
    """Return the hashes of words after the word for their kind."""
    return np.uint32(word(kind) * FACTOR % MODULUS) + words


def _array(words: set[int]) -> np.ndarray:
    return np.array(sorted(words), np.uint32)


def _second_grams(second: np.ndarray, n: int) -> Iterator[np.ndarray]:
    """Yield the hashes of the second text's n-grams, by their number of words."""
    hashes, start = second, word("2") * FACTOR % MODULUS
    for length in range(1, n + 1):
        yield hashes + np.uint32(start)
        hashes, start = hashes[:-1] * K1 + second[length:], start * FACTOR % MODULUS


def _crossed(left: np.ndarray, right: np.ndarray, is_symmetric: bool) -> np.ndarray:
    """Return the hashes of all pairs of a word of the first and of the second text alone."""
    start = np.uint32(word("x") * FACTOR * FACTOR % MODULUS)
    one, other = np.repeat(left, len(right)), np.tile(right, len(left))
    if is_symmetric:
        one, other = np.minimum(one, other), np.maximum(one, other)
    return start + one * K1 + other


def _directed_steps(first: np.ndarray, second: np.ndarray, shared: int, left: int, right: int) -> Iterator[int]:
    """Yield the hashes of the counts and shares of a pair in this order."""
    yield step("b", min(right, 12))
    yield step("a", min(left // 2, 10))
    yield step("sb", tenths(shared, shared + right))
    yield step("sa", tenths(shared, shared + left))
    one, two = _neighbours(first), _neighbours(second)
    yield step("sp", tenths(len(one & two), len(two)))
    yield step("d", max(-6, min(6, (len(second) - len(first)) // 2)))


def _symmetric_steps(first: np.ndarray, second: np.ndarray, shared: int, left: int, right: int) -> Iterator[int]:
    """Yield the hashes of the counts and shares of a pair in any order."""
    yield step("o", min((left + right) // 2, 12))
    yield step("m", min(left, right, 6))
    yield step("su", tenths(shared, shared + left + right))
    one, two = _neighbours(first), _neighbours(second)
    yield step("sp", tenths(len(one & two), len(one | two)))
    yield step("d", min(6, abs(len(second) - len(first)) // 2))


@cache
def step(kind: str, value: int) -> int:
    """Return the hash of a count or a share."""
    return ((word("L") * FACTOR + word(kind)) * FACTOR + word(str(value))) % MODULUS


def tenths(part: int, whole: int) -> int:
    """Return a share in whole tenths; 0 of nothing."""
    return 10 * part // whole if whole else 0


def _neighbours(words: np.ndarray) -> set[int]:
    """Return the hashes of pairs of neighbouring words."""
    return set((words[:-1] * K1 + words[1:]).tolist())


def split_pairs(words: np.ndarray, is_second: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return both texts of each row of a batch; words (B, T) uint32, 0 for padding; is_second (B, T) bool."""
    return [(row[~other], row[other]) for row, other in zip(words, is_second)]
