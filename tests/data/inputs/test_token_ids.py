"""Inputs of one shape are drawn from the ids of a split."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.helpers import split_of


def test_drawn_ids_follow_the_data_and_repeat_with_the_seed() -> None:
    split = split_of([[7] * 90, [9] * 10])
    drawn = [split.input.example(split, 4, 500, seed=seed)["input_ids"] for seed in (0, 0, 1)]
    assert drawn[0].shape == (4, 500) and drawn[0].dtype == np.int64 and 0.85 < (drawn[0] == 7).mean() < 0.95
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize("starts", [None, [2, 3]])
@pytest.mark.parametrize("lookup", [None, np.arange(20)[::-1].copy()])
def test_a_row_collated_alone_equals_the_same_row_in_a_batch(
    starts: list[int] | None, lookup: np.ndarray | None
) -> None:
    split = split_of([[5, 6, 7, 8], [9, 10, 11, 12]], starts=starts)
    alone = split.input.collate(split, np.array([1]), lookup)
    both = split.input.collate(split, np.array([1, 0]), lookup)
    assert alone.keys() == both.keys() and ("token_type_ids" in alone) is (starts is not None)
    for name, values in alone.items():
        assert values.dtype == both[name].dtype and np.array_equal(values, both[name][:1])
