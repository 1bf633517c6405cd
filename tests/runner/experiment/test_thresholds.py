"""Thresholds of a run: fitted to the selection split alone, and not where its rows train too."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.settings import ALL_FOLDS, DataSettings
from runner.experiment.thresholds import fit_thresholds, variant_scores
from runner.statistics.probabilities import sigmoid
from runner.tasks.base import LabelFacts
from runner.tasks.multilabel import MultiLabel
from tests.runner.tasks.splits import split_of

LABELS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0]], np.int8)
LOGITS = np.array([[-1.0, -3.0, -9.0], [-2.0, -1.5, -9.0], [-3.0, -2.0, -9.0], [-0.5, -1.0, -9.0]], np.float32)


def prepared(rule: str, fold: str | None = None) -> Any:
    select = split_of(LABELS)
    splits = SimpleNamespace(select=select, calibration=select, apart=None, fingerprints={"test": "a"})
    task = MultiLabel(LabelFacts(("a", "b", "c"), threshold=rule))
    return SimpleNamespace(task=task, splits=splits, settings=SimpleNamespace(data=DataSettings(fold=fold)))


def test_thresholds_of_each_label_are_recorded_with_the_labels_that_have_no_row() -> None:
    task, variants, facts = fit_thresholds(prepared("per_label"), LOGITS)
    assert facts is not None and facts.unfitted == ["c"] and facts.rows == 4
    assert facts.values == pytest.approx([*sigmoid(np.array([-1.0, -1.5])), 0.5], abs=2e-6)
    assert task.answers(LOGITS, split_of(LABELS))["prediction"].reshape(4, 3).tolist() == LABELS.tolist()
    assert facts.describe().endswith("from 4 rows of test; 0.5 for c, which no row has")
    other = np.full((1, 3), -1.2, np.float32)  # applied to other rows as they are
    assert task.answers(other, split_of(LABELS[:1]))["prediction"].tolist() == [0, 1, 0]
    assert set(variants) == {"at_half", "tuned"}


def test_scores_at_one_half_and_with_tuned_thresholds_stand_beside_each_other() -> None:
    _, variants, facts = fit_thresholds(prepared("0.5"), LOGITS)
    found = variant_scores(variants, split_of(LABELS), LOGITS)
    assert facts is None and found["test/f1_micro_at_half"] == 0.0 and found["test/f1_micro_tuned"] == 1.0
    assert found["test/f1_macro_tuned"] == 1.0


def test_nothing_is_fitted_to_rows_that_train() -> None:
    task, variants, facts = fit_thresholds(prepared("per_label", ALL_FOLDS), LOGITS)
    assert facts is not None and facts.values == [] and "also trained on" in facts.describe() and not variants
    assert set(task.answers(LOGITS, split_of(LABELS))["prediction"].tolist()) == {0}
