"""The splits of the built-in dataset: no row in two of them, labels as they are named or none."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.demo_splits import read_demo


def test_no_row_is_in_two_splits_and_both_classes_are_in_each() -> None:
    data = read_demo(DataSettings(demo_rows=120, text_pair="hypothesis", demo_task="entailment"))
    rows = {
        name: {row for columns, _ in split.chunks() for row in zip(*columns.values())}
        for name, split in data.splits.items()
    }
    assert not rows["train"] & rows["test"] and not rows["val"] & rows["test"] and len(rows["train"]) > 100
    assert all(len(np.unique(split.labels.values)) == len(data.target.names) for split in data.splits.values())


def test_texts_without_labels_have_a_target_of_their_own() -> None:
    data = read_demo(DataSettings(demo_rows=40, label=None))
    assert data.target.names == () and not data.splits["train"].labels.values.any()
    assert read_demo(DataSettings(demo_rows=40), "masked_words").target.name == "masked_words"


def test_a_column_for_groups_is_refused() -> None:
    with pytest.raises(DataError, match="data=demo has no such column"):
        read_demo(DataSettings(group="author"))


def test_tags_as_a_task_of_their_own_are_refused() -> None:
    with pytest.raises(DataError, match="Try: task=tags"):
        read_demo(DataSettings(demo_task="tags"))
