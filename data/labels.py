"""Labels of rows as arrays: one label per row, or several, such as one for each word."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Labels:
    """One value per row (offsets None), or several: those of row i are values[offsets[i]:offsets[i + 1]].

    Each such value belongs to one item, which one output of the model predicts.
    """

    values: np.ndarray  # (items,), or (items, columns) if an item has several labels
    offsets: np.ndarray | None = None  # (rows + 1,) int64
    # (items,) int32: position in its row of the token that predicts the item; -1: none. None if rows are items.
    places: np.ndarray | None = None
    words: np.ndarray | None = None  # (items,) uint64: hash of the word that the item is about; None without words
    # (items, 2) int32: start and end of the item's token in the context, in characters; -1 -1 for a token outside the
    # context. None if character positions are not needed.
    characters: np.ndarray | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @cached_property
    def counts(self) -> np.ndarray:
        """The number of items of each row, (rows,)."""
        return np.ones(len(self.values), np.int64) if self.offsets is None else np.diff(self.offsets)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers of the items of these rows, one row after the other."""
        if self.offsets is None:
            return rows
        starts, counts = self.offsets[rows], self.counts[rows]
        ends = np.cumsum(counts)
        return np.arange(int(counts.sum())) + np.repeat(starts - (ends - counts), counts)

    @cached_property
    def has_output(self) -> np.ndarray | None:
        """Which items have an output of the model, (items,) bool; None: all."""
        return None if self.places is None else np.asarray(self.places) >= 0

    @cached_property
    def item_fingerprint(self) -> str:
        """sha256 of where each row's items begin, and of the tokens that predict them."""
        digest = hashlib.sha256()
        for array in (self.offsets, self.places):
            digest.update(b"" if array is None else np.ascontiguousarray(array, np.int64).tobytes())
        return digest.hexdigest()

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the indices of the outputs for these rows among all outputs for these labels."""
        items = self.of(rows)
        return items if self.has_output is None else self._numbers[items[self.has_output[items]]]

    @cached_property
    def _numbers(self) -> np.ndarray:
        """The index of the output of each item, (items,); meaningless for items without an output."""
        assert self.has_output is not None
        return np.cumsum(self.has_output) - 1

    def take(self, rows: np.ndarray) -> Labels:
        """Return the labels of these rows, in their order."""
        items, offsets = self.of(rows), None
        if self.offsets is not None:
            offsets = np.concatenate([[0], np.cumsum(self.counts[rows], dtype=np.int64)])
        more = (None if found is None else found[items] for found in (self.places, self.words, self.characters))
        return Labels(self.values[items], offsets, *more)

    def keys(self) -> np.ndarray:
        """Return a number for each row, (rows,) uint64, equal for rows with equal labels; several labels count as one.

        If a row has several floats, the first is the label; the others say what it belongs to and are ignored.
        """
        if self.offsets is None and (self.values.ndim == 1 or np.issubdtype(self.values.dtype, np.floating)):
            first = self.values if self.values.ndim == 1 else self.values[:, 0]
            return (first.astype(np.float64) + 0.0).view(np.uint64)  # -0.0 is 0.0
        ends = np.arange(len(self) + 1) if self.offsets is None else self.offsets
        rows = (self.values[start:end].tobytes() for start, end in itertools.pairwise(ends.tolist()))
        digests = b"".join(hashlib.sha256(row).digest()[:8] for row in rows)
        return np.frombuffer(digests, np.uint64)

    def blank(self, rows: np.ndarray, like: np.ndarray | None = None) -> Labels:
        """Return the labels of these rows with all values 0 but the same items at the same places.

        like: values whose type and columns the new ones take; by default the values of these labels.
        """
        taken, like = self.take(rows), self.values if like is None else like
        return replace(taken, values=np.zeros((len(taken.values), *like.shape[1:]), like.dtype))

    def followed_by(self, other: Labels) -> Labels:
        """Return these labels followed by the other ones."""
        offsets = None
        if self.offsets is not None and other.offsets is not None:
            offsets = np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]])
        mine, theirs = ((one.places, one.words, one.characters) for one in (self, other))
        return Labels(np.concatenate([self.values, other.values]), offsets, *map(_joined, mine, theirs))


def classes_among(values: np.ndarray) -> np.ndarray:
    """Return the sorted ids of the classes that occur in labels (items,), or in label sets (rows, C) of 0 and 1."""
    values = np.asarray(values)
    return np.flatnonzero(values.any(axis=0)) if values.ndim == 2 else np.unique(values)


def _joined(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    """Return the two arrays concatenated; None if either is missing."""
    return None if first is None or second is None else np.concatenate([first, second])
