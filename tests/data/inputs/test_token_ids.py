"""Inputs of one shape are drawn from the ids of a split."""

from __future__ import annotations

import numpy as np

from tests.data.helpers import split_of


def test_drawn_ids_follow_the_data_and_repeat_with_the_seed() -> None:
    split = split_of([[7] * 90, [9] * 10])
    drawn = [split.input.example(split, 4, 500, seed=seed)["input_ids"] for seed in (0, 0, 1)]
    assert drawn[0].shape == (4, 500) and drawn[0].dtype == np.int64 and 0.85 < (drawn[0] == 7).mean() < 0.95
    assert np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], drawn[2])
