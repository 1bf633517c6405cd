"""The features of a pair of texts for models over n-grams: which words occur in which text, and how much they overlap.

A feature is a sequence of words whose first word is its kind: `2` an n-gram of the second text, `s` a word of both,
`-` and `+` a word of only the first or only the second, `x` a pair of one `-` and one `+` word, `L` a binned count or
share. If the order of the texts is irrelevant, `d` replaces `-` and `+`, and no feature depends on the order. There
are no features for the n-grams of the first text: they were noise in 4 of 5 measurements.
runner/deploy/bundle/pairs.py computes the same features for a model.bin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np

from models.ngrams.fingerprints import K1, NO_WORD, Grams, hash_of

MOST_CROSSED = 40  # maximum number of words of each text to pair with the other's
FACTOR, MODULUS = int(K1), 1 << 32


@dataclass(frozen=True)
class PairOptions:
    """symmetric: is the order of the texts irrelevant? cross: are words of one text paired with the other's?"""

    n: int
    symmetric: bool = False
    cross: bool = False

    def entry(self) -> dict[str, bool]:
        """Return the entries for config.json and model.bin, which store `n` separately."""
        return {key: value for key, value in asdict(self).items() if key != "n"}


def pair_grams(pairs: Iterable[tuple[np.ndarray, np.ndarray]], options: PairOptions) -> Grams:
    """Return the features of pairs; pairs: the hashes of the words of both texts, uint32."""
    found = [pair_hashes(first[first != NO_WORD], second[second != NO_WORD], options) for first, second in pairs]
    rows = np.repeat(np.arange(len(found)), [len(hashes) for hashes in found])
    return Grams(np.concatenate([np.zeros(0, np.uint32), *found]), rows)


def pair_hashes(first: np.ndarray, second: np.ndarray, options: PairOptions) -> np.ndarray:
    """Return the hashes of the features of one pair, uint32, possibly with duplicates."""
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
    """Return the hashes of features that consist of a kind and a word."""
    return np.uint32(word(kind) * FACTOR % MODULUS) + words


def _array(words: set[int]) -> np.ndarray:
    return np.array(sorted(words), np.uint32)


def _second_grams(second: np.ndarray, n: int) -> Iterator[np.ndarray]:
    """Yield the hashes of the second text's n-grams, one array per n."""
    hashes, start = second, word("2") * FACTOR % MODULUS
    for length in range(1, n + 1):
        yield hashes + np.uint32(start)
        hashes, start = hashes[:-1] * K1 + second[length:], start * FACTOR % MODULUS


def _crossed(left: np.ndarray, right: np.ndarray, is_symmetric: bool) -> np.ndarray:
    """Return the hashes of all pairs of a word of `left` and a word of `right`."""
    start = np.uint32(word("x") * FACTOR * FACTOR % MODULUS)
    one, other = np.repeat(left, len(right)), np.tile(right, len(left))
    if is_symmetric:
        one, other = np.minimum(one, other), np.maximum(one, other)
    return start + one * K1 + other


def _directed_steps(first: np.ndarray, second: np.ndarray, shared: int, left: int, right: int) -> Iterator[int]:
    """Yield the hashes of a pair's counts and shares, which depend on the order of the texts."""
    yield step("b", min(right, 12))
    yield step("a", min(left // 2, 10))
    yield step("sb", tenths(shared, shared + right))
    yield step("sa", tenths(shared, shared + left))
    one, two = _neighbours(first), _neighbours(second)
    yield step("sp", tenths(len(one & two), len(two)))
    yield step("d", max(-6, min(6, (len(second) - len(first)) // 2)))


def _symmetric_steps(first: np.ndarray, second: np.ndarray, shared: int, left: int, right: int) -> Iterator[int]:
    """Yield the hashes of a pair's counts and shares, which do not depend on the order of the texts."""
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
    """Return part / whole in tenths, rounded down; 0 if `whole` is 0."""
    return 10 * part // whole if whole else 0


def _neighbours(words: np.ndarray) -> set[int]:
    """Return the hashes of pairs of neighbouring words."""
    return set((words[:-1] * K1 + words[1:]).tolist())


def split_pairs(words: np.ndarray, is_second: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split each row of a batch into its two texts; words (B, T) uint32, 0 for padding; is_second (B, T) bool."""
    return [(row[~other], row[other]) for row, other in zip(words, is_second)]
