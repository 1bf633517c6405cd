"""Answers: units of chance, and what their items add up to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from runner.statistics.answers import Answers, joined

SENTENCES = Answers({"label": np.array([0, 1, 1, 0]), "prediction": np.array([0, 1, 0, 0])}, np.array([0, 3, 3, 4]))


def test_items_are_grouped_to_units() -> None:
    assert (len(SENTENCES), SENTENCES.items) == (3, 4)
    right = (SENTENCES["label"] == SENTENCES["prediction"]).astype(float)
    assert SENTENCES.sums(right).tolist() == [2.0, 0.0, 1.0], "a sentence without words adds nothing"
    assert SENTENCES.sums(np.stack([right, 1 - right], axis=1)).tolist() == [[2, 1], [0, 0], [1, 0]]


def test_without_groups_an_item_is_a_unit() -> None:
    rows = replace(SENTENCES, offsets=None)
    assert len(rows) == rows.items == 4
    assert rows.sums(np.arange(4)).tolist() == [0, 1, 2, 3]


def test_answers_differ_in_values_or_in_their_grouping() -> None:
    assert not SENTENCES.differ_in(SENTENCES, "label")
    assert SENTENCES.differ_in(replace(SENTENCES, offsets=None), "label")
    other = replace(SENTENCES, columns={**SENTENCES.columns, "prediction": np.zeros(4, int)})
    assert SENTENCES.differ_in(other, "prediction") and not SENTENCES.differ_in(other, "label")
    copied = Answers({name: column.copy() for name, column in SENTENCES.columns.items()}, np.array([0, 3, 3, 4]))
    assert not SENTENCES.differ_in(copied, "label") and not SENTENCES.differ_in(copied, "prediction")
    assert SENTENCES.differ_in(replace(copied, offsets=np.array([0, 2, 3, 4])), "label")


def test_units_are_taken_and_joined_with_their_items() -> None:
    taken = SENTENCES.take(np.array([2, 0]))
    assert taken["label"].tolist() == [0, 0, 1, 1] and taken.offsets is not None and taken.offsets.tolist() == [0, 1, 4]
    both = joined([SENTENCES, taken])
    assert both.items == 8 and both.offsets is not None and both.offsets.tolist() == [0, 3, 3, 4, 5, 8]
    rows = replace(SENTENCES, offsets=None)
    assert rows.take(np.array([3, 1]))["label"].tolist() == [0, 1] and joined([rows, rows]).items == 8
