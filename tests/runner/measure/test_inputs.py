from __future__ import annotations

import numpy as np
import torch

from data.splits import TokenSplit
from runner.measure.inputs import Cell, draw_batch, real_batches
from tests.data.helpers import split_of


def rows_of(lengths: list[int]) -> TokenSplit:
    """A split whose row of length n holds the id n, n times."""
    return split_of([[length] * length for length in lengths])


def test_drawn_ids_follow_the_data_and_repeat_with_the_seed() -> None:
    split = split_of([[7] * 90 + [9] * 10])
    ids = draw_batch(split, 4, 500)["input_ids"]
    assert ids is not None and ids.shape == (4, 500) and ids.dtype == torch.int64
    assert 0.85 < (ids == 7).float().mean() < 0.95
    assert torch.equal(ids, draw_batch(split, 4, 500)["input_ids"])  # type: ignore[arg-type]
    assert not torch.equal(ids, draw_batch(split, 4, 500, seed=1)["input_ids"])  # type: ignore[arg-type]


def test_real_rows_of_every_round_are_spread_over_the_lengths() -> None:
    batches = real_batches(rows_of(list(range(1, 401))), batch_size=1, rounds=5)
    lengths = [batch["input_ids"].shape[1] for batch in batches]  # type: ignore[union-attr]
    assert len(lengths) == 40
    for turn in range(5):
        mine = lengths[turn::5]
        assert min(mine) < 60 and max(mine) > 340
        assert abs(np.mean(mine) - 200) < 30


def test_real_batches_are_full_and_padded_to_their_longest_row() -> None:
    batches = real_batches(rows_of([3] * 33 + [5] * 32), batch_size=32, rounds=5)
    assert len(batches) == 2, "the one row that is left over makes no batch"
    ids, mask = batches[1]["input_ids"], batches[1]["attention_mask"]
    assert ids is not None and len(ids) == 32
    assert mask is None, "32 rows of 3 tokens need no padding"
    (mixed,) = real_batches(rows_of([3, 5]), batch_size=2, rounds=1)
    assert torch.equal((mixed["input_ids"] != 0).long(), mixed["attention_mask"])  # type: ignore[arg-type,union-attr]


def test_a_split_smaller_than_the_batch_is_one_batch() -> None:
    (batch,) = real_batches(rows_of([3, 4]), batch_size=32, rounds=3)
    assert batch["input_ids"].shape == (2, 4)  # type: ignore[union-attr]


def test_cells_are_named_as_in_the_metrics() -> None:
    assert [Cell(1, 128).name, Cell(32, None).name] == ["b1_s128", "b32_data"]
