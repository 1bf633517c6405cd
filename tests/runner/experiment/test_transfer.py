"""The loss in another language is paired: only rows that one language gets wrong and the other right count."""

from __future__ import annotations

import numpy as np
import pytest

from runner.experiment.transfer import transfer_metrics
from runner.record.metrics import check, is_split
from runner.statistics.answers import Answers
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification

LABELS = np.arange(200) % 2


def answers(wrong: int) -> Answers:
    predictions = LABELS.copy()
    predictions[:wrong] = 1 - predictions[:wrong]
    return Answers({"label": LABELS, "prediction": predictions}, names=("no", "yes"))


def test_differences_have_their_paired_interval_and_known_names() -> None:
    task = Classification(LabelFacts(("no", "yes"), metrics=("accuracy",)))
    found = transfer_metrics(task, {"test": answers(10), "test_tr": answers(40)}, ["test_tr"])
    assert found["test_tr/accuracy_difference"] == pytest.approx(-0.15)
    low, high = (found[f"test_tr/accuracy_difference_{end}"] for end in ("low", "high"))
    assert -0.21 < low < -0.15 < high < -0.09, "narrower than those of two sets of rows"
    assert found["test_tr/accuracy_difference_p"] < 1e-6
    assert all(check(name) for name in found)
    assert transfer_metrics(task, {"test": answers(1)}, []) == {}


def test_a_language_is_a_split_of_its_own() -> None:
    assert all(map(is_split, ("train", "tune", "val", "val_mm", "test", "test_tr", "val_tur_Latn")))
    assert not any(map(is_split, ("speed", "zero_shot", "train_tr", "tests")))
