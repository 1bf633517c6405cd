"""Whose F1 is meant, and scores that a task cannot have: known before anything is tokenised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.load import load_splits
from data.settings import SCORES, DataSettings, metrics_of
from data.sources.raw import RawData, RawSplit
from data.targets.positive_class import check_metrics, positive_class


def rows(names: tuple[str, ...], *counts: int) -> RawData:
    """Training labels of which each class has that many, without texts."""
    labels = np.repeat(np.arange(len(counts)), counts)
    kind = "classification" if names else "regression"
    numbers = np.arange(len(labels))
    return RawData(kind, names, {"train": RawSplit(None, labels, numbers, numbers + 1)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((10, 2000), 0), ((2000, 10), 1), ((50, 50), 1), ((49, 51), 1), ((51, 49), 1), ((80, 100), 0)],
)
def test_the_rarer_class_is_the_positive_one_and_class_1_where_chance_would_decide(
    counts: tuple[int, int], expected: int
) -> None:
    assert positive_class(None, rows(("fraud", "ok"), *counts)) == expected


def test_a_named_class_is_the_positive_one_whatever_its_share() -> None:
    data = rows(("fraud", "ok"), 10, 2000)
    assert (positive_class("ok", data), positive_class("fraud", data)) == (1, 0)


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
        positive_class("frau", rows(names, *counts))


@pytest.mark.parametrize(
    ("metrics", "names", "expected"),
    [
        (("f1",), ("a", "b", "c"), r"not for 3\. Try: data\.metrics=\[f1_macro\]"),
        (("accuracy", "recall"), ("a", "b", "c"), "recall is defined for two classes"),
        (("mse",), ("a", "b"), r"mse is not a score of classification .*Try: data\.metrics=\[accuracy\]"),
        (("mcc",), (), r"mcc is not a score of regression .*Try: data\.metrics=\[pearson\]"),
    ],
)
def test_a_score_that_the_task_cannot_have_is_refused(
    metrics: tuple[str, ...], names: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(DataError, match=expected):
        check_metrics(metrics, rows(names, *[3] * max(1, len(names))))


def test_each_kind_of_task_has_scores_of_its_own_by_default() -> None:
    for kind, classes in (("classification", 2), ("classification", 3), ("regression", 0), ("mlm", 0)):
        found = metrics_of(kind, DataSettings(), classes)
        assert set(found) <= set(SCORES[kind])
    assert metrics_of("mlm", DataSettings(metrics=["accuracy"]), 0)[0] == "perplexity"


def test_loaded_splits_know_the_positive_class(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [f"a note of day {i},{'fraud' if i % 8 == 0 else 'ok'}" for i in range(160)]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    settings = DataSettings(name="files", source="files", path=str(path))
    splits = load_splits(settings, tokenizer="train", vocab_size=60, cache=tmp_path / "cache")
    assert splits.task.label_names[splits.task.positive] == "fraud"
