"""Takes rows of a table in the time and memory of the rows taken.

`pyarrow.Table.take` first joins all chunks of a text column: it copies the whole column for a few rows, and fails where
the column has more than 2 GiB.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

SPREAD = 4  # if the part of the table with the rows is at most this many times as long, the whole part is joined


def take_rows(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Return the rows of a table with these numbers, (n,) int64, in their order, as `table.take` does."""
    if not len(rows):
        return table.slice(0, 0)
    first, end = int(rows.min()), int(rows.max()) + 1
    part = table.slice(first, end - first)  # copies nothing
    if end - first == len(rows) and (np.diff(rows) == 1).all():
        return part
    if end - first <= SPREAD * len(rows) and part.nbytes < 2**30:
        return part.take(rows - first)
    return _take_by_chunk(part, rows - first)


def _take_by_chunk(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Take rows chunk by chunk; only the rows taken are joined, and those only if they are not in increasing order."""
    import pyarrow as pa

    chunks = table.to_batches()
    starts = np.cumsum([0, *(chunk.num_rows for chunk in chunks)])
    place = np.searchsorted(starts, rows, side="right") - 1
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(len(chunks) + 1))
    parts = [
        chunk.take(pa.array(rows[order[low:high]] - start))
        for chunk, start, (low, high) in zip(chunks, starts, pairwise(ends))
        if high > low
    ]
    found = pa.Table.from_batches(parts, schema=table.schema)
    if (np.diff(order) == 1).all():
        return found
    back = np.empty(len(rows), np.int64)
    back[order] = np.arange(len(rows))
    return found.take(back)
