"""The n-grams of a split as a sparse matrix, counted by one sort of integers.

n-grams are identified by 32-bit hashes, the most that a model.bin uses; among 400,000 n-grams about 19 pairs collide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.splits import TokenSplit
from models.ngrams.fingerprints import Grams, find_grams
from models.ngrams.pairs import PairOptions, pair_grams

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

CHUNK = 1 << 22  # words read at once


@dataclass(frozen=True)
class Counted:
    """Which n-grams occur in which rows."""

    hashes: np.ndarray  # (F,) uint32, ascending
    presence: csc_matrix  # (rows, F) float64: 1 if a row has the n-gram; by columns, for faster products

    @property
    def df(self) -> np.ndarray:
        """The number of rows that have each n-gram, (F,) int64."""
        return np.diff(self.presence.indptr).astype(np.int64)

    def only(self, columns: np.ndarray) -> Counted:
        """Return the same rows with only some n-grams; columns: (k,) ascending."""
        return Counted(self.hashes[columns], self.presence[:, columns])

    def take(self, rows: np.ndarray) -> Counted:
        """Return some of the rows."""
        return Counted(self.hashes, self.presence[rows])

    def frequent(self, min_df: int) -> Counted:
        """Return the same rows with only the n-grams that occur in at least `min_df` of them."""
        return self.only(np.flatnonzero(self.df >= min_df))


def count_grams(split: TokenSplit, n: int, min_df: int, pairs: PairOptions | None = None) -> Counted:
    """Return the n-grams of 1 to n words in at least `min_df` rows; with `pairs`, the features of two texts instead."""
    keys = _keys(grams_of(split, n, pairs))
    hashes = (keys >> np.uint64(32)).astype(np.uint32)
    edges = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]])) if len(hashes) else np.zeros(0, int)
    df = np.diff(np.append(edges, len(hashes)))
    kept = df >= min_df
    chosen = np.repeat(kept, df)
    rows = (keys[chosen] & np.uint64(0xFFFFFFFF)).astype(np.int32)
    return Counted(hashes[edges[kept]], _matrix(rows, df[kept], len(split)))


def find_known(split: TokenSplit, n: int, hashes: np.ndarray, pairs: PairOptions | None = None) -> Counted:
    """Return which of the n-grams `hashes` (F,), ascending, occur in the rows of another split."""
    grams = grams_of(split, n, pairs)
    places = np.searchsorted(hashes, grams.hashes)
    np.minimum(places, len(hashes) - 1, out=places)
    hit = hashes[places] == grams.hashes
    keys = _keys(Grams(places[hit].astype(np.uint32), grams.rows[hit]))
    columns, rows = (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
    return Counted(hashes, _matrix(rows, np.bincount(columns, minlength=len(hashes)), len(split)))


def grams_of(split: TokenSplit, n: int, pairs: PairOptions | None) -> Grams:
    """Return the n-grams of all rows, or the features of all pairs."""
    if pairs is not None:
        tokens, ends = np.asarray(split.tokens, np.uint32), split.offsets[1:].tolist()
        starts, middles = split.offsets[:-1].tolist(), (split.offsets[:-1] + split.segment_starts).tolist()
        return pair_grams(((tokens[a:b], tokens[b:c]) for a, b, c in zip(starts, middles, ends)), pairs)
    rows, tokens = np.repeat(np.arange(len(split), dtype=np.int32), split.lengths), np.asarray(split.tokens)
    if not split.has_pairs:
        return find_grams(tokens, rows, n)
    is_word = words_of(split)
    found, rest = find_grams(tokens[is_word], rows[is_word], n), tokens[~is_word].astype(np.uint32)
    return Grams(np.concatenate([found.hashes, rest]), np.concatenate([found.rows, rows[~is_word]]))


def words_of(split: TokenSplit) -> np.ndarray:
    """Return which tokens are words, (T,) bool; the others are character n-grams, stored as second segments of rows."""
    places = np.arange(len(split.tokens)) - np.repeat(split.offsets[:-1], split.lengths)
    found: np.ndarray = places < np.repeat(split.segment_starts, split.lengths)
    return found


def words_alone(split: TokenSplit) -> TokenSplit:
    """Return a split without its character n-grams."""
    if not split.has_pairs:
        return split
    starts = np.asarray(split.segment_starts)
    offsets = np.concatenate([[0], np.cumsum(starts)])
    return replace(split, tokens=np.asarray(split.tokens)[words_of(split)], offsets=offsets)


def _keys(grams: Grams) -> np.ndarray:
    """Return hash x 2^32 + row of all n-grams, sorted and distinct; uint64."""
    keys = (grams.hashes.astype(np.uint64) << np.uint64(32)) | grams.rows.astype(np.uint64)
    keys.sort()
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys


def _matrix(rows: np.ndarray, df: np.ndarray, count: int) -> csc_matrix:
    """Return a matrix of ones; rows: the row numbers of one column after the other; df: their number per column."""
    from scipy.sparse import csc_matrix

    starts = np.concatenate([[0], np.cumsum(df)])
    return csc_matrix((np.ones(len(rows)), rows, starts), shape=(count, len(df)))
