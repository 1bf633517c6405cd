"""Classes of rows: which one F1 is for, and that there are two of them; known before anything is tokenised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.labels import Labels
from data.load import load_splits
from data.settings import DataSettings
from data.targets.class_label import ClassLabel
from data.targets.number import Number
from tests.data.helpers import column_of


def positive_class(wanted: str | None, names: tuple[str, ...], *counts: int) -> int:
    """The positive class where each class has that many training labels; without names they are numbers."""
    labels = Labels(np.repeat(np.arange(len(counts)), counts))
    target = ClassLabel(names) if names else Number()
    return target.positive_class(wanted, labels)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((10, 2000), 0), ((2000, 10), 1), ((50, 50), 1), ((49, 51), 1), ((51, 49), 1), ((80, 100), 0)],
)
def test_the_rarer_class_is_the_positive_one_and_class_1_where_chance_would_decide(
    counts: tuple[int, int], expected: int
) -> None:
    assert positive_class(None, ("fraud", "ok"), *counts) == expected


def test_a_named_class_is_the_positive_one_whatever_its_share() -> None:
    assert [positive_class(name, ("fraud", "ok"), 10, 2000) for name in ("ok", "fraud")] == [1, 0]


@pytest.mark.parametrize(
    ("names", "counts", "expected"),
    [
        (("fraud", "ok"), (1, 9), r"the classes are fraud, ok\. Try: data\.positive=fraud"),
        (("a", "b", "c"), (3, 3, 3), r"this task is 3 classes\. Try: data\.positive=null"),
        ((), (5,), r"this task is regression\. Try: data\.positive=null"),
    ],
)
def test_a_positive_class_that_is_none_is_refused(
    names: tuple[str, ...], counts: tuple[int, ...], expected: str
) -> None:
    with pytest.raises(DataError, match=expected):
        positive_class("frau", names, *counts)


def test_loaded_splits_know_the_positive_class(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [f"a note of day {i},{'fraud' if i % 8 == 0 else 'ok'}" for i in range(160)]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    settings = DataSettings(name="files", source="files", path=str(path))
    splits = load_splits(settings, tokenizer="train", vocab_size=60, cache=tmp_path / "cache")
    assert splits.task.label_names[splits.task.positive] == "fraud"


def test_one_class_is_not_enough() -> None:
    with pytest.raises(DataError, match=r"d\.csv: all training labels are 'yes'"):
        ClassLabel(("no", "yes")).check({"train": Labels(np.array([1, 1])), "test": Labels(np.array([0]))}, "d.csv")


def classes_of(labels: list[str], task: str = "auto") -> tuple[str, ...]:
    """The classes that these training labels make."""
    column = column_of(labels, first_row=2)
    return ClassLabel.of(DataSettings(name="files", source="files", task=task), column, "prices.csv").names


def test_a_word_among_quantities_is_refused_with_its_row() -> None:
    prices = ["9.5", "12.25", "", "9.5", "unknown", "30"]
    message = r"prices.csv row 6: the label 'unknown' is not a number, but 3 of the 4 different labels are"
    with pytest.raises(DataError, match=message):
        classes_of(prices)
    assert classes_of(prices, "classification") == ("12.25", "30", "9.5", "unknown")


@pytest.mark.parametrize("labels", [["1", "2", "3", "unsure"], ["1.5", "a", "b"], ["1.5", "latest"]])
def test_a_word_beside_whole_or_few_numbers_is_a_class(labels: list[str]) -> None:
    assert classes_of(labels) == tuple(labels)
