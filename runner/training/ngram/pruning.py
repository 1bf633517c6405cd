"""Which n-grams stay, so that the packed file is no larger than it may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.ngrams.prints import bits_for, prints_of
from models.packed.ngram import Table, pack_ngrams, round_rows
from runner.training.ngram.solve import Linear

MOST_PACKINGS = 12
HEADER = 600  # bytes of a file without n-grams, about
PRECISE = 500  # the count is found to 1 in so many

Pack = Callable[[Table], bytes]


def by_importance(fitted: Linear, df: np.ndarray) -> np.ndarray:
    """Return the n-grams in the order in which they stay, (F,): by |weight| x sqrt(rows that have it).

    Of several classes the length of the weights minus their mean.
    """
    weights = fitted.weights
    if len(weights) > 1:
        weights = weights - weights.mean(0)
    return np.argsort(-np.sqrt((weights**2).sum(0) * df), kind="stable")


def make_table(fitted: Linear, hashes: np.ndarray, n: int) -> Table:
    """Return the rounded model; n-grams whose bytes are all 0 are left out.

    hashes: (F,) of the n-grams. Of n-grams that share a fingerprint, the one with the largest weights stays.
    """
    rows, scale = round_rows(fitted.weights)
    used = np.flatnonzero(rows.any(1))
    bits = bits_for(len(used))
    prints, lengths = prints_of(hashes[used], bits), (fitted.weights[:, used] ** 2).sum(0)
    order = np.lexsort((-lengths, prints))
    first = np.concatenate([[True], prints[order][1:] != prints[order][:-1]])[: len(order)]
    chosen = order[first]
    table = Table(prints[chosen], rows[used[chosen]], scale, fitted.bias, n, bits)
    return table if bits == bits_for(len(chosen)) else _repacked(fitted, hashes, used[chosen], n)


def _repacked(fitted: Linear, hashes: np.ndarray, columns: np.ndarray, n: int) -> Table:
    """Return the model of these n-grams alone: so many shared a fingerprint that fewer bits are due."""
    return make_table(Linear(fitted.weights[:, columns], fitted.bias), hashes[columns], n)


def most_that_fit(
    fitted: Linear,
    hashes: np.ndarray,
    order: np.ndarray,
    n: int,
    labels: Sequence[str],
    most_bytes: int,
    temperature: float = 1.0,
) -> int:
    """Return how many of the first n-grams of `order` fit into a file of `most_bytes`; at most 12 files are packed."""

    def size(count: int) -> int:
        columns = np.sort(order[:count])
        table = make_table(Linear(fitted.weights[:, columns], fitted.bias), hashes[columns], n)
        return len(pack_ngrams(table, labels, temperature))

    low, high, small, large = 0, len(order), HEADER, size(len(order))
    if large <= most_bytes:
        return high
    for packed in range(1, MOST_PACKINGS):
        if high - low <= max(1, low // PRECISE):
            break
        # On the line between the two known sizes; every third time in the middle, since the line may move one end only.
        share = 0.5 if packed % 3 == 0 else (most_bytes - small) / (large - small)
        guess = min(high - 1, max(low + 1, low + int(share * (high - low))))
        found = size(guess)
        if found <= most_bytes:
            low, small = guess, found
        else:
            high, large = guess, found
    return low


def likely_count(max_kb: int | None, columns: int) -> int:
    """Return about how many n-grams fit into a file of so many kilobytes: 12.6 bits each, rows deflated to 3/4."""
    return 1 << 62 if max_kb is None else max(1, int(max_kb * 1000 / (12.6 / 8 + 0.75 * columns)))
