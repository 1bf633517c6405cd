"""Batches: every token in its place, padding masked, segments marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.batch import collate, padded_index
from data.splits import TokenSplit
from data.stores.frozen_states import FrozenStates

PAD = 0
SPLIT = TokenSplit(
    name="train",
    tokens=np.array([2, 11, 3, 2, 21, 22, 3, 23, 3, 2, 31, 32, 3], np.uint16),
    offsets=np.array([0, 3, 9, 13]),
    segment_starts=np.array([3, 4, 4], np.int32),
    labels=np.array([0, 1, 1]),
    truncated=0,
)


@pytest.mark.parametrize("rows", [[0], [1, 0], [2, 0, 1], [0, 0, 2]])
def test_each_row_of_a_batch_holds_its_tokens_and_then_padding(rows: list[int]) -> None:
    batch = collate(SPLIT, np.array(rows), PAD)
    width = max(SPLIT.lengths[rows])
    mask = np.ones_like(batch.input_ids) if batch.attention_mask is None else batch.attention_mask
    assert batch.input_ids.shape == mask.shape == (len(rows), width)
    for row, ids, real in zip(rows, batch.input_ids, mask):
        own = SPLIT.tokens[SPLIT.offsets[row] : SPLIT.offsets[row + 1]].tolist()
        assert ids.tolist() == own + [PAD] * (width - len(own)) and real.sum() == len(own)
    assert batch.labels.tolist() == SPLIT.labels[rows].tolist() and batch.rows.tolist() == rows


def test_rows_of_one_length_need_no_mask() -> None:
    assert collate(SPLIT, np.array([0, 0]), PAD).attention_mask is None


def test_only_tokens_of_the_second_text_are_of_segment_one() -> None:
    segments = collate(SPLIT, np.array([0, 1]), PAD).token_type_ids
    assert segments is not None and segments.tolist() == [[0] * 6, [0, 0, 0, 0, 1, 1]], "padding is of segment zero"
    single = replace(SPLIT, segment_starts=SPLIT.lengths.astype(np.int32))
    assert collate(single, np.array([0, 1]), PAD).token_type_ids is None


def test_a_lookup_renumbers_tokens_and_padding() -> None:
    lookup = np.arange(40)[::-1].copy()
    plain, moved = collate(SPLIT, np.array([0, 1]), PAD), collate(SPLIT, np.array([0, 1]), PAD, lookup)
    np.testing.assert_array_equal(moved.input_ids, lookup[plain.input_ids])


def test_frozen_states_take_the_place_of_ids() -> None:
    offsets = np.array([0, 1, 3, 4])  # one state of the first row, two of the second, one of the third
    values = np.arange(8, dtype=np.float32).reshape(4, 1, 2)
    batch = collate(replace(SPLIT, frozen_states=FrozenStates(values, offsets)), np.array([0, 1]), PAD)
    assert batch.states is not None and batch.states.shape == (2, 2, 1, 2) and not batch.input_ids.size
    np.testing.assert_array_equal(batch.states[1], values[1:3])
    assert batch.attention_mask is not None and batch.attention_mask.tolist() == [[1, 0], [1, 1]]


def test_padding_never_points_outside_the_array() -> None:
    index, real = padded_index(SPLIT.offsets, np.array([2, 1]))
    assert index.max() < len(SPLIT.tokens) and (index[~real] == SPLIT.offsets[2]).all()
