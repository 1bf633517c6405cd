"""Tokenised splits: which rows have labels, what their fingerprint depends on; targets in their own unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data.labels import Labels
from data.splits import DataTask, TargetScale, TokenSplit
from data.units import Units
from tests.data.helpers import split_of, tagged_split

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


def test_a_number_has_one_output_and_its_unit_is_the_spread_of_standardised_targets() -> None:
    assert DataTask("number", (), False).num_labels == 1 and DataTask("class_label", ("a", "b"), False).num_labels == 2
    assert DataTask("number", (), False).scale == 1.0
    assert DataTask("number", (), False, target_scale=TargetScale(5.0, 2.0)).scale == 2.0


def test_the_tolerance_grows_with_the_spread_and_with_the_rounding_of_the_mean() -> None:
    assert TargetScale(0.0, 2.0).tolerance(0.01) == pytest.approx(0.02)
    assert TargetScale(-1e6, 2.0).tolerance(0.01) == pytest.approx(1.02)


class Texts:
    """Source rows that say their own numbers."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def read(self, rows: np.ndarray) -> dict[str, list[Any]]:
        return {"text": [f"text {row}" for row in rows]}

    def facts(self, rows: np.ndarray) -> dict[str, list[Any]]:
        return {"_golds": rows.tolist()}


def windowed() -> TokenSplit:
    """Three source rows, of which the second has three windows."""
    split = split_of([[1], [2, 2], [3], [4], [5, 5]], [0, 1, 1, 1, 0])
    return replace(split, parts=np.array([0, 1, 4, 5]), texts=Texts(3), source_rows=np.array([10, 20, 30]))


def texts_of(split: TokenSplit) -> list[str]:
    assert split.texts is not None
    return list(split.texts.read(np.arange(len(split.texts)))["text"])


def test_a_window_that_is_taken_is_a_source_row_with_the_text_of_its_own() -> None:
    found = windowed().take(np.array([4, 3, 0, 1]))
    assert found.parts is None and found.source_rows is None and found.source_count == len(found) == 4
    assert texts_of(found) == ["text 2", "text 1", "text 0", "text 1"]
    assert found.texts is not None and found.texts.facts(np.array([1])) == {"_golds": [1]}
    assert (
        replace(windowed(), units=Units(np.array([0, 1]), *np.ones((2, 1), bool), 1)).take(np.arange(2)).units is None
    )


def test_source_rows_are_taken_with_all_of_their_windows() -> None:
    found = windowed().take_sources(np.array([2, 1]))
    assert found.tokens.tolist() == [5, 5, 2, 2, 3, 4] and found.labels.values.tolist() == [0, 1, 1, 1]
    assert found.parts is not None and found.parts.tolist() == [0, 1, 4] and found.source_count == 2
    assert texts_of(found) == ["text 2", "text 1"]
    whole = split_of([[1], [2, 2], [3]], [7, 8, 9]).take_sources(np.array([2, 1]))
    assert whole.parts is None and whole.labels.values.tolist() == [9, 8]


def test_rows_that_follow_others_keep_their_bounds_and_labels() -> None:
    other = split_of([[9, 9, 9], [8]], [1, 1], truncated=2, starts=[1, 1])
    found = replace(split_of([[1, 1], [2]], [0, 1], truncated=1), texts=Texts(2)).followed_by(other)
    assert found.tokens.tolist() == [1, 1, 2, 9, 9, 9, 8] and found.offsets.tolist() == [0, 2, 3, 6, 7]
    assert found.segment_starts.tolist() == [2, 1, 1, 1] and found.labels.values.tolist() == [0, 1, 1, 1]
    assert (found.truncated, found.texts, found.parts) == (3, None, None)


def test_items_of_rows_without_a_label_have_none_where_the_model_has_an_output_for_them() -> None:
    split = replace(tagged_split(), num_unlabelled=3)
    first = np.where(np.asarray(split.labels.places) == 1, 0, split.labels.places)  # without a token before the text
    split.labels = replace(split.labels, places=first)
    rows = np.array([7, 2, 5, 6])
    places = [np.asarray(split.labels.places)[split.labels.of(np.array([row]))] for row in rows]
    expected = [row < 6 for row, own in zip(rows, places) for place in own if place >= 0]
    found = split.has_label(rows)
    assert found is not None and found.tolist() == expected and not all(expected)
    whole = replace(split, labels=replace(split.labels, places=None)).has_label(rows)
    assert whole is not None and whole.tolist() == [row < 6 for row, own in zip(rows, places) for _ in own]
    offsets = split.labels.offsets
    assert offsets is not None and len(split.known_labels) == offsets[6]
