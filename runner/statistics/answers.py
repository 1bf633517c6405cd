"""The answers of a model to a split, as they are stored and scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Answers:
    """The answers to the items of a split, in order, in columns that the task names.

    columns: (items,) each, for example `label` and `prediction`, or sums of blocks: `loss`, `right`, `masked`.
    offsets: (units + 1,) where the items of each sampling unit begin. Intervals and tests resample whole units, such as
    a sentence with its tags. None: one item per unit. positive: the positive class of two, for scores of one class.
    names: the class names in id order. second_names: those of the second label, where an item has two.
    """

    columns: Mapping[str, np.ndarray]
    offsets: np.ndarray | None = None
    positive: int = 1
    names: tuple[str, ...] = ()
    second_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of sampling units."""
        return len(next(iter(self.columns.values()))) if self.offsets is None else len(self.offsets) - 1

    @property
    def items(self) -> int:
        """The number of items."""
        return len(next(iter(self.columns.values())))

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a column, (items,); raise KeyError for one that the answers do not have."""
        return self.columns[column]

    def sums(self, of_items: np.ndarray) -> np.ndarray:
        """Sum values of items, (items,) or (items, K), over the items of each unit: (units,) or (units, K)."""
        if self.offsets is None:
            return of_items
        totals = np.concatenate([np.zeros_like(of_items[:1]), of_items.cumsum(axis=0)])
        return np.asarray(totals[self.offsets[1:]] - totals[self.offsets[:-1]])

    def differ_in(self, other: Answers, column: str) -> bool:
        """Does a column, or the grouping of items into units, differ between two sets of answers?"""
        if self.offsets is None or other.offsets is None:
            is_same = self.offsets is other.offsets
        else:
            is_same = np.array_equal(self.offsets, other.offsets)
        mine, theirs = self[column], other[column]
        return not (is_same and (mine is theirs or np.array_equal(mine, theirs)))

    def take(self, units: np.ndarray) -> Answers:
        """Return the answers to these units, in this order."""
        if self.offsets is None:
            return replace(self, columns={name: column[units] for name, column in self.columns.items()})
        counts = np.diff(self.offsets)[units]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        items = np.arange(offsets[-1]) + np.repeat(self.offsets[units] - offsets[:-1], counts)
        return replace(self, columns={name: column[items] for name, column in self.columns.items()}, offsets=offsets)


def joined(parts: Sequence[Answers]) -> Answers:
    """Concatenate the answers to several splits, by one model or by several of the same kind."""
    first = parts[0]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in first.columns}
    if first.offsets is None:
        return replace(first, columns=columns)
    counts = np.concatenate([np.diff(np.asarray(part.offsets)) for part in parts])
    return replace(first, columns=columns, offsets=np.concatenate([[0], np.cumsum(counts)]))


def is_constant(values: np.ndarray) -> bool:
    """Return whether all values are the same."""
    return len(values) == 0 or bool(np.all(values == values[0]))
