"""Settings of a dataset: which split selects, which scores a task has, names as YAML reads them."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import DataError
from data.settings import DataSettings, check_metrics, metrics_of, normalize_label_names, split_names


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"source": "hub", "report_splits": {"test": "test"}}, ("val", ["test"])),
        ({"source": "hub", "report_splits": {"val": "validation"}}, ("tune", ["val"])),
        ({"source": "hub", "report_splits": {"val": "validation"}, "split": "train"}, ("val", ["test"])),
        ({"source": "files"}, ("val", ["test"])),
    ],
)
def test_the_split_that_selects_is_another_than_those_reported(
    settings: dict[str, Any], expected: tuple[str, list[str]]
) -> None:
    assert split_names(DataSettings(**settings)) == expected


@pytest.mark.parametrize(
    ("kind", "classes", "first"),
    [("classification", 2, "accuracy"), ("regression", 0, "spearman"), ("mlm", 0, "perplexity")],
)
def test_each_task_has_scores_of_its_own_unless_others_are_named(kind: str, classes: int, first: str) -> None:
    assert metrics_of(kind, DataSettings(), classes)[0] == first
    named = metrics_of(kind, DataSettings(metrics=["mcc"]), classes)
    assert named == (("mcc",) if kind != "mlm" else metrics_of(kind, DataSettings(), classes))


def test_f1_is_averaged_over_more_than_two_classes() -> None:
    assert metrics_of("classification", DataSettings(), 2)[1] == "f1"
    assert metrics_of("classification", DataSettings(), 3)[1] == "f1_macro"


def test_names_are_text_whatever_yaml_took_them_for() -> None:
    assert normalize_label_names(None) == []
    assert normalize_label_names([1, True, "a"]) == ["1", "True", "a"]
    assert normalize_label_names({0: "neg", 1: 2}) == {"0": "neg", "1": "2"}


@pytest.mark.parametrize("given", ["neg", 3, [["neg"]], {"a": ["b"]}, [None]])
def test_anything_else_as_names_is_refused_with_examples(given: Any) -> None:
    with pytest.raises(DataError, match=r"Try: data\.label_names=\[negative,positive\]"):
        normalize_label_names(given)


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
        check_metrics(metrics, "classification" if names else "regression", len(names))
