"""Rows that training keeps together, such as the candidates of a query: which are drawn, and where each group begins.

A group is what a loss compares: a relevant document with others of the same query, drawn again in every epoch. A group
is never split across batches or parts of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Units:
    """The documents of each query of a training split; a document is one row, or several if it is long."""

    offsets: np.ndarray  # (queries + 1,) where the documents of each query begin
    is_positive: np.ndarray  # (documents,) bool: candidates that are relevant
    is_negative: np.ndarray  # (documents,) bool: candidates that are not
    negatives: int | None  # how many to draw for each relevant one; None: a group has all candidates of its query
    parts: np.ndarray | None = None  # (documents + 1,) where the rows of each begin; None: one row each

    def draw(self, seed: int, epoch: int) -> list[np.ndarray]:
        """Return the groups of an epoch, each an array of row numbers, in the order of the documents.

        With `negatives`, a group is a relevant document followed by others. One passage is drawn from each long
        document. Queries without a relevant candidate have no group.
        """
        random = np.random.default_rng([seed, epoch, 1])
        groups = []
        for first, last in pairwise(self.offsets.tolist()):
            positive = first + np.flatnonzero(self.is_positive[first:last])
            negative = first + np.flatnonzero(self.is_negative[first:last])
            if not len(positive):
                continue
            if self.negatives is None:
                groups.append(np.sort(np.concatenate([positive, negative])))
                continue
            for document in positive:
                drawn = random.choice(negative, min(self.negatives, len(negative)), replace=False)
                groups.append(np.concatenate([[document], drawn]))
        return [self._rows(group, random) for group in groups]

    def first(self, count: int) -> np.ndarray:
        """Return the first `count` documents, or fewer so that the last query is whole; at least those of one query."""
        whole = max(1, int(np.searchsorted(self.offsets, count, side="right")) - 1)
        return np.arange(self.offsets[min(whole, len(self.offsets) - 1)])

    def _rows(self, documents: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return one row of each document, drawn at random if it has several."""
        if self.parts is None:
            return documents
        return random.integers(self.parts[documents], self.parts[documents + 1])

    @cached_property
    def _of_rows(self) -> np.ndarray:
        """The document of each row, (rows,)."""
        documents = np.arange(len(self.is_positive))
        return documents if self.parts is None else np.repeat(documents, np.diff(self.parts))

    def begins(self, rows: np.ndarray) -> np.ndarray:
        """Return which rows of a batch, ordered group by group, are the first of their group, (B,) bool."""
        documents = self._of_rows[rows]
        units = np.searchsorted(self.offsets, documents, side="right")
        found = np.ones(len(rows), bool)
        found[1:] = units[1:] != units[:-1]
        return found if self.negatives is None else found | self.is_positive[documents]

    def cut(self, rows: np.ndarray, parts: int) -> list[np.ndarray]:
        """Cut the rows of a batch into at most `parts` parts with about equally many groups, without splitting any."""
        starts = np.flatnonzero(self.begins(rows))
        chosen = np.array_split(starts, min(parts, len(starts)))
        return np.split(rows, [part[0] for part in chosen[1:]])


def unit_batches(
    lengths: np.ndarray, units: Units, *, seed: int, epoch: int, batch_size: int | None = None,
    token_budget: int | None = None, pool_batches: int = 100,
) -> list[np.ndarray]:  # fmt: skip
    """Return the batches of one epoch, each an array of row numbers, group after group.

    batch_size: the maximum number of rows in a batch; token_budget: the maximum of rows x longest row. A larger group
    is a batch by itself. Groups of similar length are batched together, as rows are in `epoch_batches`.
    """
    groups = units.draw(seed, epoch)
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(groups))
    longest = np.array([int(lengths[group].max()) for group in groups], np.int64)
    sizes = np.array([len(group) for group in groups], np.int64)
    rows = batch_size or max(1, (token_budget or 1) // max(1, int(longest.mean()) if len(groups) else 1))
    pool = max(1, pool_batches * rows // max(1, int(sizes.mean()) if len(groups) else 1))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), pool):
        chosen = order[start : start + pool]
        batch, width = list[np.ndarray](), 0
        for number in chosen[np.argsort(-longest[chosen], kind="stable")]:
            count = sum(map(len, batch)) + len(groups[number])
            width = width if batch else int(longest[number])
            if batch and (count > batch_size if batch_size else count * width > (token_budget or 1)):
                batches.append(np.concatenate(batch))
                batch, width = [], int(longest[number])
            batch.append(groups[number])
        batches.append(np.concatenate(batch))
    return [batches[i] for i in random.permutation(len(batches))]
