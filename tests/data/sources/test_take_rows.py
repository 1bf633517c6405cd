"""Rows are taken as pyarrow takes them, without joining the chunks that they are not in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data.sources.take_rows import take_rows

SIZES = (5, 1, 0, 40, 14)  # rows of the chunks


def table_of(sizes: tuple[int, ...]) -> pa.Table:
    """A table of chunks with a text and a list in each row, a few of them null."""
    count = sum(sizes)
    text = [None if row % 7 == 3 else f"text {row}" for row in range(count)]
    words = [[f"w{row}"] * (row % 3) for row in range(count)]
    ends = np.cumsum(sizes)
    chunks = [
        pa.record_batch({"text": pa.array(text[end - size : end], pa.string()),
                         "words": pa.array(words[end - size : end], pa.list_(pa.string()))})
        for size, end in zip(sizes, ends)
    ]  # fmt: skip
    return pa.Table.from_batches(chunks)


def test_any_rows_are_those_that_pyarrow_takes() -> None:
    table, random = table_of(SIZES), np.random.default_rng(0)
    picks = [
        np.arange(60), np.arange(3, 50), np.arange(7, 8), np.array([59, 0]), np.array([4, 4, 5, 4]),
        *(np.sort(random.permutation(60)[:count]) for count in (3, 30, 55)),
        *(random.integers(60, size=count) for count in (1, 5, 60, 200)),
    ]  # fmt: skip
    for rows in picks:
        assert take_rows(table, rows).to_pydict() == table.take(rows).to_pydict(), rows
    nothing = take_rows(table, np.empty(0, np.int64))
    assert nothing.num_rows == 0 and nothing.schema == table.schema


@pytest.mark.parametrize("rows", [np.arange(100, 140), np.array([3, 99_000]), np.array([99_000, 3])])
def test_rows_cost_no_copy_of_the_others(rows: np.ndarray) -> None:
    text = pa.chunked_array([pa.array(["x" * 1000] * 1000)] * 100)  # 100 MB, of one buffer
    before = pa.total_allocated_bytes()
    part = take_rows(pa.table({"text": text}), rows)
    assert part["text"].to_pylist() == ["x" * 1000] * len(rows)
    assert pa.total_allocated_bytes() - before < 1_000_000
