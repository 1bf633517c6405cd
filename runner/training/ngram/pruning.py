"""Chooses which n-grams to keep, so that the packed file stays within its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ngrams.fingerprints import bits_for, fingerprints_of
from models.packed.ngram import LEVELS, Table, pack_ngrams, round_rows
from runner.training.ngram.solve import Linear

MOST_PACKINGS = 12
HEADER = 600  # approximate bytes of a file without n-grams
PRECISE = 500  # the count is found to 1 in 500


def by_importance(fitted: Linear, df: np.ndarray) -> np.ndarray:
    """Return the weights that do not round to 0, by descending |weight| x sqrt(rows that have the n-gram).

    Indices into the flat (columns x F). With many classes most n-grams say something about few of them.
    """
    size = np.abs(fitted.weights)
    rounded = np.flatnonzero(size > size.max(1, initial=0.0)[:, None] / (2 * LEVELS))
    importance = size.reshape(-1)[rounded] * np.sqrt(df)[rounded % len(df)]
    return rounded[np.argsort(-importance, kind="stable")]


@dataclass(frozen=True)
class Pruned:
    """Some of the weights of a model; the others are 0."""

    mask: np.ndarray  # (columns, k) bool
    columns: np.ndarray  # (k,) the n-grams with a weight, ascending

    def of(self, fitted: Linear) -> Linear:
        """Return the model over these n-grams with these weights alone."""
        return Linear(fitted.weights[:, self.columns] * self.mask, fitted.bias)


def prune(order: np.ndarray, count: int, shape: tuple[int, ...]) -> Pruned:
    """Keep the first `count` weights in the order; shape: of the weights, (columns, F)."""
    mask = np.zeros(shape, bool)
    mask.reshape(-1)[order[:count]] = True
    columns = np.flatnonzero(mask.any(0))
    return Pruned(mask[:, columns], columns)


def make_table(fitted: Linear, hashes: np.ndarray, n: int) -> Table:
    """Return the rounded model; n-grams whose weights all round to 0 are left out.

    hashes: (F,) of the n-grams. Among n-grams that share a fingerprint, the one with the largest weights is kept.
    """
    rows, scale = round_rows(fitted.weights)
    used = np.flatnonzero(rows.any(1))
    bits = bits_for(len(used))
    prints, lengths = fingerprints_of(hashes[used], bits), (fitted.weights[:, used] ** 2).sum(0)
    order = np.lexsort((-lengths, prints))
    first = np.concatenate([[True], prints[order][1:] != prints[order][:-1]])[: len(order)]
    chosen = order[first]
    table = Table(prints[chosen], rows[used[chosen]], scale, fitted.bias, n, bits)
    return table if bits == bits_for(len(chosen)) else _repacked(fitted, hashes, used[chosen], n)


def _repacked(fitted: Linear, hashes: np.ndarray, columns: np.ndarray, n: int) -> Table:
    """Return the model of these n-grams alone, with fewer bits: so many shared a fingerprint that these are enough."""
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
    """Return how many weights, in the order `order`, fit into a file of `most_bytes`; packs at most 12 files."""

    def size(count: int) -> int:
        kept = prune(order, count, fitted.weights.shape)
        table = make_table(kept.of(fitted), hashes[kept.columns], n)
        return len(pack_ngrams(table, labels, temperature))

    low, high, small, large = 0, len(order), HEADER, size(len(order))
    if large <= most_bytes:
        return high
    for packed in range(1, MOST_PACKINGS):
        if high - low <= max(1, low // PRECISE):
            break
        # Interpolate between the two known sizes; every third time bisect, since interpolation may move only one end.
        share = 0.5 if packed % 3 == 0 else (most_bytes - small) / (large - small)
        guess = min(high - 1, max(low + 1, low + int(share * (high - low))))
        found = size(guess)
        if found <= most_bytes:
            low, small = guess, found
        else:
            high, large = guess, found
    return low


def likely_count(max_kb: float | None) -> int:
    """Estimate how many weights fit into a file of `max_kb` kilobytes: 12.6 bits each, and a byte deflated to 3/4."""
    return 1 << 62 if max_kb is None else max(1, int(max_kb * 1000 / (12.6 / 8 + 0.75)))
