"""Batches: every token in its place, padding masked, segments marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.batch import collate
from data.inputs.padding import padded_index
from data.stores.frozen_states import FrozenStates
from tests.data.helpers import split_of

PAD = 0
SPLIT = split_of([[2, 11, 3], [2, 21, 22, 3, 23, 3], [2, 31, 32, 3]], [0, 1, 1], starts=[3, 4, 4])


@pytest.mark.parametrize("rows", [[0], [1, 0], [2, 0, 1], [0, 0, 2]])
def test_each_row_of_a_batch_holds_its_tokens_and_then_padding(rows: list[int]) -> None:
    batch = collate(SPLIT, np.array(rows))
    width = max(SPLIT.lengths[rows])
    batch_ids = batch.inputs["input_ids"]
    mask = batch.inputs.get("attention_mask", np.ones_like(batch_ids))
    assert batch_ids.shape == mask.shape == (len(rows), width)
    for row, ids, real in zip(rows, batch_ids, mask):
        own = SPLIT.tokens[SPLIT.offsets[row] : SPLIT.offsets[row + 1]].tolist()
        assert ids.tolist() == own + [PAD] * (width - len(own)) and real.sum() == len(own)
    assert batch.targets["labels"].tolist() == SPLIT.labels.values[rows].tolist() and batch.rows.tolist() == rows


def test_rows_of_one_length_need_no_mask() -> None:
    assert set(collate(SPLIT, np.array([0, 0])).inputs) == {"input_ids", "token_type_ids"}


def test_only_tokens_of_the_second_text_are_of_segment_one() -> None:
    segments = collate(SPLIT, np.array([0, 1])).inputs["token_type_ids"]
    assert segments.tolist() == [[0] * 6, [0, 0, 0, 0, 1, 1]], "padding is of segment zero"
    single = replace(SPLIT, segment_starts=SPLIT.lengths.astype(np.int32))
    assert "token_type_ids" not in collate(single, np.array([0, 1])).inputs


def test_a_lookup_renumbers_tokens_and_padding() -> None:
    lookup = np.arange(40)[::-1].copy()
    plain, moved = (collate(SPLIT, np.array([0, 1]), lookup=order).inputs["input_ids"] for order in (None, lookup))
    np.testing.assert_array_equal(moved, lookup[plain])


def test_frozen_states_take_the_place_of_ids() -> None:
    offsets = np.array([0, 1, 3, 4])  # one state of the first row, two of the second, one of the third
    values = np.arange(8, dtype=np.float32).reshape(4, 1, 2)
    batch = collate(replace(SPLIT, frozen_states=FrozenStates(values, offsets)), np.array([0, 1]))
    assert batch.inputs["states"].shape == (2, 2, 1, 2) and "input_ids" not in batch.inputs
    np.testing.assert_array_equal(batch.inputs["states"][1], values[1:3])
    assert batch.inputs["attention_mask"].tolist() == [[1, 0], [1, 1]]


def test_padding_never_points_outside_the_array() -> None:
    index, real = padded_index(SPLIT.offsets, np.array([2, 1]))
    assert index.max() < len(SPLIT.tokens) and (index[~real] == SPLIT.offsets[2]).all()
