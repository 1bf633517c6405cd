"""The loss of the order of cosines, the last layer before the first step, and tasks that a cosine cannot answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from data.errors import DataError
from data.splits import TargetScale
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.schema import TrainSettings
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.cosines import accumulate_conflicts, check_cosine, cosent, first_layer, loss_of
from runner.tasks.regression import Regression

MODEL = ModelSettings(readout={"name": "bi_encoder", "pooling": "mean", "compare": "cosine"})


def test_the_loss_is_that_of_all_ordered_pairs_of_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    scores, labels = torch.randn(9, generator=generator), torch.tensor([0.0, 1, 1, 2, 5, 5, 3, 0.5, 2])
    wrong = [math.exp(scores[j] - scores[i]) for i in range(9) for j in range(9) if float(labels[i]) > float(labels[j])]
    assert float(cosent(scores, labels)) == pytest.approx(math.log(1 + sum(wrong)), abs=1e-5)
    assert float(cosent(torch.tensor([2.0, 0.0]), torch.tensor([0, 1]))) == pytest.approx(math.log(1 + math.exp(2.0)))


def test_a_batch_of_equal_labels_teaches_nothing() -> None:
    scores = torch.tensor([3.0, -1.0], requires_grad=True)
    loss = cosent(scores, torch.ones(2))
    loss.backward()
    assert loss.item() == 0.0 and scores.grad is not None and not scores.grad.any()


def test_outputs_in_the_unit_of_the_labels_are_compared_as_cosines() -> None:
    task = Regression(LabelFacts(scale=TargetScale(1.0, 4.0), loss="cosent"))
    cosines, labels = torch.tensor([0.5, 0.1, 0.9]), torch.tensor([3.0, 4.0, 1.0])
    found = task.mean_loss((1 + 4 * cosines).unsqueeze(1), labels)
    torch.testing.assert_close(found, cosent(20 * cosines, labels))
    torch.testing.assert_close(task.stage_loss((1 + 4 * cosines).unsqueeze(1), {"labels": labels}), found)
    classes = Classification(LabelFacts(names=("no", "yes"), loss="cosent"))
    logits, wanted = torch.tensor([[0.5, 2.0], [1.0, -1.0]]), torch.tensor([0, 1])
    torch.testing.assert_close(classes.mean_loss(logits, wanted), cosent(torch.tensor([1.5, -2.0]), wanted))


def test_auto_means_the_order_for_numbers_and_cross_entropy_for_classes() -> None:
    assert loss_of("auto", MODEL, Regression.cosine_losses) == "cosent"
    assert loss_of("auto", MODEL, Classification.cosine_losses) == "auto"
    assert loss_of("squared", MODEL, Regression.cosine_losses) == "squared"
    assert loss_of("auto", ModelSettings(), Regression.cosine_losses) == "auto"


def test_a_batch_is_not_split_for_the_loss_of_its_order() -> None:
    (refused,) = accumulate_conflicts(TrainSettings(accumulate=4), "cosent")
    assert "train.accumulate=4: train.loss=cosent (auto) compares all rows" in refused
    assert "Try: train.accumulate=1" in refused
    assert not accumulate_conflicts(TrainSettings(accumulate=1), "cosent")
    assert not accumulate_conflicts(TrainSettings(accumulate=4), "squared")


def test_the_last_layer_starts_in_the_direction_of_the_labels() -> None:
    cosines = np.array([0.9, 0.7, 0.2, 0.0])
    for labels, wanted in ((cosines * 5, (1.0, 0.0)), (-cosines, (-1.0, 1.0))):
        weights, bias = first_layer(cosines, labels, 1)
        assert (float(weights[0, 0]), float(bias[0])) == wanted
    for labels in (np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])):
        weights, bias = first_layer(cosines, labels, 2)
        logits = cosines[:, None] @ weights.T + bias
        assert (logits.argmax(1) == labels).all()
        assert np.abs(logits[:, 1] - logits[:, 0]) == pytest.approx(20 * np.abs(cosines - 0.45))


@pytest.mark.parametrize(
    ("head", "losses", "why"),
    [
        (HeadSpec("text", 3), ("auto",), "3 classes need more"),
        (HeadSpec("text", 4, "multi_label_classification"), (), "the task multilabel needs more"),
    ],
)
def test_what_one_number_cannot_answer_is_refused(head: HeadSpec, losses: tuple[str, ...], why: str) -> None:
    with pytest.raises(DataError, match=f"{why}. Try: model.readout.compare=parts"):
        check_cosine(MODEL, losses, head, "multilabel")
    parts = ModelSettings(readout=MODEL.readout | {"compare": "parts"})
    check_cosine(parts, losses, head, "multilabel")
    check_cosine(MODEL, ("auto",), HeadSpec("text", 2), "classification")
