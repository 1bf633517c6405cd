"""The reader that a bundle has for sets of labels answers as the task does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runner.deploy.bundle.label_sets import FIELDS, answer_set
from runner.tasks.base import LabelFacts
from runner.tasks.multilabel import MultiLabel

NAMES = ("anger", "joy", "fear")
LISTED = ("prediction", "predicted_labels")


@pytest.mark.parametrize("rule", ["per_label", "at_least_one"])
def test_sets_and_probabilities_are_those_of_the_task(rule: str) -> None:
    task = MultiLabel(LabelFacts(NAMES, threshold=rule, thresholds=(0.3, 0.5, 0.9) if rule == "per_label" else ()))
    logits = np.random.default_rng(0).normal(0, 3, (50, 3)).astype(np.float32)
    wanted: Any = task.respond(logits, None)  # type: ignore[arg-type]
    header = task.reader_facts()
    assert set(header) <= set(FIELDS)
    for row, expected in zip(logits, wanted):
        found = answer_set(header, NAMES, row.tolist())
        assert [found[name] for name in LISTED] == [expected[name] for name in LISTED]
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-12)
    assert any(not one["predicted_labels"] for one in wanted) == (rule == "per_label")


def test_a_label_is_answered_from_its_threshold_on() -> None:
    task = MultiLabel(LabelFacts(NAMES, threshold="per_label", thresholds=(0.5, 0.500001, 0.499999)))
    wanted: Any = task.respond(np.zeros((1, 3), np.float32), None)  # type: ignore[arg-type]
    found = answer_set(task.reader_facts(), NAMES, [0.0, 0.0, 0.0])
    assert found["predicted_labels"] == wanted[0]["predicted_labels"] == ["anger", "fear"]
