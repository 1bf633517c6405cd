"""The targets that a model over n-grams is fitted on where a teacher answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from models.compression.settings.learn import Distil, DistilLosses, DistilPhase
from runner.experiment.ngram_student import teacher_targets

LOGITS = torch.tensor([[0.0, 2.0], [4.0, 0.0], [0.0, 0.0]])


class Context:
    """Two rows with labels and one without."""

    def __init__(self, labels: list[float], names: tuple[str, ...]) -> None:
        train: Any = SimpleNamespace(known_labels=np.array(labels), num_unlabelled=1)
        train = type("Rows", (SimpleNamespace,), {"__len__": lambda _: 3})(**vars(train))
        self.splits = SimpleNamespace(train=train, task=SimpleNamespace(label_names=names))
        self.metrics: dict[str, float] = {}
        self.add_unlabelled = lambda: 1
        self.say = lambda _: None
        self.add_metrics = self.metrics.update
        self.teacher_logits = lambda rows: LOGITS[rows]


def targets(context: Context, soft: float, hard: float, temperature: float = 1.0) -> np.ndarray:
    losses = DistilLosses(soft=soft, hard=hard)
    options = Distil(temperature=temperature, phases={"task": DistilPhase(losses)})
    return teacher_targets(context, options)  # type: ignore[arg-type]


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_rows_have_the_teachers_probabilities_and_labelled_ones_their_labels_by_the_losses(temperature: float) -> None:
    context = Context([0, 1], ("a", "b"))
    soft = (LOGITS / temperature).softmax(1).numpy()
    np.testing.assert_allclose(targets(context, 1, 0, temperature), soft, atol=1e-6)
    np.testing.assert_allclose(targets(context, 0, 1), [[1, 0], [0, 1], [0.5, 0.5]], atol=1e-6)
    half = targets(context, 0.5, 0.5, temperature)
    np.testing.assert_allclose(half[:2], (soft[:2] + np.eye(2)) / 2, atol=1e-6)
    np.testing.assert_allclose(half[2], soft[2], atol=1e-6)
    assert context.metrics == {"distil/rows_added": 1}


def test_numbers_are_mixed_as_numbers() -> None:
    found = targets(Context([3.0, 1.0], ()), 0.5, 0.5)
    np.testing.assert_allclose(found, [1.5, 2.5, 0.0])
