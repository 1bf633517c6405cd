"""Smoothed and mixed labels in the loss of classes, and their refusal where there are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from data.errors import DataError
from data.splits import DataTask
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.schema import Settings, TrainSettings
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.make import task_of_labels
from runner.tasks.soft_labels import soft_labels

LOGITS, LABELS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.5]]), torch.tensor([0, 2])
NAMES = ("a", "b", "c")


def test_label_smoothing_is_that_of_torch_in_training_alone() -> None:
    task = Classification(LabelFacts(NAMES, label_smoothing=0.1))
    expected = functional.cross_entropy(LOGITS, LABELS, label_smoothing=0.1)
    assert torch.equal(task.mean_loss(LOGITS, LABELS), expected)
    assert torch.equal(task.unweighted().mean_loss(LOGITS, LABELS), functional.cross_entropy(LOGITS, LABELS))


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 3.0], np.float32)])
def test_shares_that_are_whole_have_the_loss_of_labels(weights: np.ndarray | None) -> None:
    task = Classification(LabelFacts(NAMES, class_weights=weights, label_smoothing=0.0))
    shares = functional.one_hot(LABELS, 3).float()
    torch.testing.assert_close(task.mean_loss(LOGITS, shares), task.mean_loss(LOGITS, LABELS))
    assert task.weight({"labels": shares.numpy()}) == pytest.approx(task.weight({"labels": LABELS.numpy()}))


def test_a_mixed_label_has_the_mixed_loss() -> None:
    task = Classification(LabelFacts(NAMES))
    shares = torch.tensor([[0.25, 0.75, 0.0]])
    parts = [functional.cross_entropy(LOGITS[:1], torch.tensor([place])) for place in (0, 1)]
    torch.testing.assert_close(task.mean_loss(LOGITS[:1], shares), 0.25 * parts[0] + 0.75 * parts[1])


def test_numbers_have_no_labels_to_smooth() -> None:
    settings = resolve(compose(["data=demo", "model=bert-tiny", "train.label_smoothing=0.2"]))
    assert soft_labels(Settings(train=TrainSettings(label_smoothing=0.2)), "regression") == [
        "train.label_smoothing=0.2: needs one class per row, but the task is regression. Try: train.label_smoothing=0"
    ]
    with pytest.raises(DataError, match="the task is regression"):
        task_of_labels(DataTask("number", (), False), settings)
