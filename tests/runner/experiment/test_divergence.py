"""Whether a training diverged, from its curve."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from data.labels import Labels
from runner.experiment.divergence import detect_divergence
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from tests.records import record_json


@pytest.mark.parametrize(
    ("scores", "has_diverged"),
    [
        ([0.9, 0.9, 0.5, 0.85, 0.86], 0.0),  # recovers
        ([0.9, 0.9, 0.86, 0.7, 0.72], 1.0),  # falls for good once everything is gone
        ([0.9, 0.7, 0.72, 0.73, 0.74], 0.0),  # falls while weights go, which is what pruning costs
        ([0.9, 0.88, 0.8, 0.7, 0.5], 1.0),  # ends at the majority class
    ],
)
def test_a_score_that_falls_after_the_last_cut_and_stays_there_has_diverged(
    scores: list[float], has_diverged: float, tmp_path: Path
) -> None:
    points = [
        {"step": 100 + 10 * i, "time": 0, "val/accuracy": score, "prune/loss_task": 0.3}
        for i, score in enumerate(scores)
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, points)), encoding="utf-8")
    record = record_json(
        data={"primary": "test/accuracy", "rows": {"train": 9, "val": 9, "test": 9}, "task": "classification"}
    )
    (tmp_path / "record.json").write_text(json.dumps(record), encoding="utf-8")
    values = np.array([0, 1] * 5)
    labels = SimpleNamespace(name="val", labels=Labels(values), known_labels=values)
    task = Classification(LabelFacts(("no", "yes"), metrics=("accuracy",)))
    started = SimpleNamespace(folder=tmp_path, splits=SimpleNamespace(select=labels, train=labels), task=task)
    assert detect_divergence(cast(Any, started), 100, 15)["train/diverged"] == has_diverged
