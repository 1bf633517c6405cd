"""The target of rankings: which queries can be learned from, and what reaches a loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.targets.relevance import Relevance, query_offsets
from data.units import Units
from tests.data.helpers import column_of, split_of

# gain, candidate?, first score, query
VALUES = np.array([[2, 1, 9, 0], [0, 1, 8, 0], [1, 0, 0, 0], [1, 1, 5, 1], [0, 1, 4, 1]], np.float32)


def test_rows_of_a_query_are_groups_of_splits_and_units() -> None:
    assert query_offsets(VALUES).tolist() == [0, 3, 5]
    assert Relevance(DataSettings()).groups(Labels(VALUES)).tolist() == [0, 0, 0, 1, 1]


def test_a_batch_has_gains_and_groups() -> None:
    target = Relevance(DataSettings(relevant_from=1))
    split = replace(split_of([[1, 2]] * 5), labels=Labels(VALUES))
    found = target.collate(split, np.array([4, 3, 0]), {}, 0)
    assert found["labels"].tolist() == [0, 1, 2] and found["item_groups"].tolist() == [1, 1, 0]
    positive = np.array([1, 0, 0, 1, 0], bool)
    split.units = Units(np.array([0, 3, 5]), positive, ~positive, 1)
    twice = target.collate(split, np.array([0, 1, 0, 1, 3, 4]), {}, 0)
    assert twice["item_groups"].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0, 1, 0, 0], [0, 1, 0, 0]]), "no training query has a relevant candidate"),
        (np.array([[1, 0, 0, 0], [0, 1, 0, 0]]), "no training query has a relevant candidate"),
        (np.array([[1, 1, 0, 0], [1, 1, 0, 0]]), "both a relevant candidate and one that is not"),
    ],
)
def test_training_queries_without_a_choice_are_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Relevance(DataSettings()).check({"train": Labels(values)}, "here")


def test_gains_are_numbers_and_a_pair_without_a_label_is_no_gain() -> None:
    target, settings = Relevance(DataSettings()), DataSettings(missing="drop")
    column = column_of(["2", "", "0.5", "nan"])
    labels, rows = target.read(column, settings, "train", "train")
    assert labels.values.tolist() == [2.0, 0.5] and rows.tolist() == [0, 2]
    for gain in ("inf", "good"):
        with pytest.raises(DataError, match=rf"train row 2: the label '{gain}' is not a number"):
            target.read(column_of(["1", gain]), settings, "train", "train")


def test_only_data_of_rankings_have_gains() -> None:
    column = column_of(["0", "1"])
    assert Relevance.reads(DataSettings(task="rank"), column) and not Relevance.reads(DataSettings(), column)
    assert isinstance(Relevance.of(DataSettings(task="rank"), column, "train"), Relevance)
    with pytest.raises(DataError, match="train row 2: the label 'good' is not a number"):
        Relevance.of(DataSettings(task="rank"), column_of(["1", "good"]), "train")
    with pytest.raises(DataError, match="has no labels"):
        Relevance.of(DataSettings(task="rank"), column_of(["", ""]), "train")


def test_the_user_is_told_of_passages_and_of_lost_ends() -> None:
    target, settings = Relevance(DataSettings()), DataSettings(max_length=16)
    split = replace(split_of([[1, 2]] * 5), parts=np.array([0, 2, 3, 4, 5]), truncated=3)
    passages, lost = target.notes_on(split, settings)
    assert "1 of 4" in passages and "longer than data.max_length=16 and were split into passages" in passages
    assert "3 of 4" in lost and "lost the end of their document or query" in lost
    assert target.notes_on(replace(split, parts=None, truncated=0), settings) == []
