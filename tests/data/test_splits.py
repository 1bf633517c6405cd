"""Tokenised splits: which rows have labels, what their fingerprint depends on; targets in their own unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.labels import Labels
from data.splits import TargetScale
from tests.data.helpers import split_of

SPLIT = split_of([[2, 11, 3], [2, 21, 22, 3]], [1, 0])


def test_lengths_and_their_percentiles() -> None:
    assert len(SPLIT) == 2 and SPLIT.lengths.tolist() == [3, 4]
    assert SPLIT.length_stats["mean"] == 3.5 and SPLIT.length_stats["max"] == 4.0


def test_unlabelled_rows_come_last_and_have_no_label() -> None:
    assert SPLIT.has_label(np.array([0, 1])) is None and SPLIT.known_labels.tolist() == [1, 0]
    some = replace(SPLIT, num_unlabelled=1)
    found = some.has_label(np.array([1, 0]))
    assert found is not None and found.tolist() == [False, True] and some.known_labels.tolist() == [1]


def test_rows_that_are_taken_keep_their_tokens_and_labels() -> None:
    split = split_of([[1], [2, 2], [3, 3, 3]], [7, 8, 9], truncated=2)
    found = split.take(np.array([2, 0]))
    assert found.tokens.tolist() == [3, 3, 3, 1] and found.offsets.tolist() == [0, 3, 4]
    assert found.labels.values.tolist() == [9, 7] and found.truncated == 0


def test_a_split_has_pairs_if_a_second_text_starts_within_a_row() -> None:
    assert not SPLIT.has_pairs
    assert replace(SPLIT, segment_starts=np.array([3, 2], np.int32)).has_pairs


@pytest.mark.parametrize("change", ["tokens", "offsets", "segment_starts"])
def test_the_fingerprint_is_of_tokens_and_their_bounds_and_of_nothing_else(change: str) -> None:
    other = replace(SPLIT, **{change: getattr(SPLIT, change)[::-1].copy()})
    assert other.fingerprint != SPLIT.fingerprint
    assert replace(SPLIT, name="val", labels=Labels(np.array([0, 0]))).fingerprint == SPLIT.fingerprint


def test_the_tolerance_grows_with_the_spread_and_with_the_rounding_of_the_mean() -> None:
    assert TargetScale(0.0, 2.0).tolerance(0.01) == pytest.approx(0.02)
    assert TargetScale(-1e6, 2.0).tolerance(0.01) == pytest.approx(1.02)
