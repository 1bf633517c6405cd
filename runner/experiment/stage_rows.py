"""Which rows of a split a compression stage reads, batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from data.sampler import eval_batches
from data.splits import TokenSplit
from data.units import unit_batches


def stage_batches(
    split: TokenSplit, *, rows: int | None, batch_size: int, seed: int | None, in_groups: bool
) -> Iterator[np.ndarray]:
    """Yield the row numbers of each batch, rows of about equal length together, so that little is padded.

    rows: how many of the split, None for all: the first ones, or a sample drawn with `seed`. in_groups: keep rows
    together that a loss compares, such as the documents of a query; there may then be more than `rows` by less than a
    batch, and rows that no group draws are left out. Without such groups it has no effect.
    """
    if in_groups and split.units is not None:
        left = rows or math.inf
        for numbers in unit_batches(split.lengths, split.units, seed=seed or 0, epoch=0, batch_size=batch_size):
            if left <= 0:
                return
            left -= len(numbers)
            yield numbers
        return
    count = min(rows or len(split), len(split))
    numbers = np.arange(count)
    if seed is not None:
        numbers = np.sort(np.random.default_rng(seed).permutation(len(split))[:count])
    for places in eval_batches(split.lengths[numbers], batch_size=batch_size):
        yield numbers[places]
