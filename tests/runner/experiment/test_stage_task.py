"""The task as compression stages see it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from data.splits import TargetScale
from runner.experiment.stage_task import StageTask
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.regression import Regression


def classes() -> StageTask:
    return StageTask(Classification(LabelFacts(("a", "b", "c"), class_weights=np.float32([1, 2, 3]))))


def numbers(sd: float = 1.0) -> StageTask:
    return StageTask(Regression(LabelFacts(scale=TargetScale(10.0, sd))))


def test_outputs_of_classes_are_compared_as_softened_probabilities() -> None:
    logits = torch.randn(4, 3)
    assert float(classes().match(logits, logits, {}, soft="kl", temperature=2.0)) == pytest.approx(0.0, abs=1e-6)
    soft = (logits / 2).softmax(-1)
    divergence = 4 * soft.mul((logits / 2).log_softmax(-1) - (-logits / 2).log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(classes().match(-logits, logits, {}, soft="kl", temperature=2.0), divergence)
    entropy = -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(classes().match(logits, logits, {}, soft="cross_entropy", temperature=1.0), entropy)


def test_numbers_are_compared_as_numbers_in_the_unit_of_the_loss() -> None:
    found = torch.randn(4, 1)
    assert float(numbers().match(found + 2, found, {}, soft="kl", temperature=2.0)) == pytest.approx(4.0)
    assert float(numbers(sd=4.0).match(found + 2, found, {}, soft="kl", temperature=2.0)) == pytest.approx(0.25)


def test_the_loss_is_the_mean_over_the_items_without_class_weights() -> None:
    logits, labels = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    torch.testing.assert_close(classes().loss(logits, {"labels": labels}), F.cross_entropy(logits, labels))
    found = torch.tensor([[1.0], [3.0]])
    assert float(numbers(sd=2.0).loss(found, {"labels": torch.tensor([3.0, 3.0])})) == pytest.approx(0.5)
