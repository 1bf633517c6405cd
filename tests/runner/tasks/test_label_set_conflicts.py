"""Settings of sets of labels that cannot be are refused with the way out."""

from __future__ import annotations

from typing import Any

import pytest

from data.settings import DataSettings
from runner.tasks.label_set_conflicts import label_set_conflicts


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"threshold": "1.5"}, "expected a number between 0 and 1, or one | per_label | at_least_one"),
        ({"threshold": "per_lable"}, "Try: data.threshold=per_label"),
        ({"labels": ["a", "b"], "label_separator": ";"}, "either in separate columns or in one cell"),
        ({"labels": ["a", "b"], "task": "classification"}, "Try: data.task=multilabel"),
        ({"labels": ["a"]}, "one label makes a binary classification. Try: data.label=a"),
        ({"labels": ["a", "b", "a"]}, "names 'a' twice"),
        ({"labels": ["a", "b"], "source": "hub"}, "is for your own files"),
        ({"label_separator": ""}, """is empty. Try: 'data.label_separator=";"'"""),
    ],
)
def test_settings_that_contradict_sets_of_labels_are_refused_in_one_line(given: dict[str, Any], expected: str) -> None:
    (line,) = label_set_conflicts(DataSettings(**({"source": "files"} | given)))
    assert expected in line


@pytest.mark.parametrize("given", [{}, {"threshold": ".3"}, {"threshold": "one"}, {"labels": ["a", "b"]}])
def test_settings_that_suit_sets_of_labels_are_accepted(given: dict[str, Any]) -> None:
    assert label_set_conflicts(DataSettings(**({"source": "files"} | given))) == []
