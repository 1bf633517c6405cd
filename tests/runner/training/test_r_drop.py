"""R-Drop: its value, what it leaves as it was, and what has no use for it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from data.splits import Splits
from models.backbones.dropout import Dropout
from runner.errors import ConfigError
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from runner.tasks.make import task_of
from runner.tasks.multilabel import MultiLabel
from runner.tasks.regression import Regression
from runner.training import trainer
from runner.training.inference import targets_to_tensors
from runner.training.r_drop import check_dropout, r_drop_loss
from tests.runner.training.test_loop import configured, equal, model_of, train

NAMES = ("no", "yes")


def test_the_loss_is_that_of_a_computation_by_hand() -> None:
    p, q = np.array([0.8, 0.2]), np.array([0.6, 0.4])
    apart = (p * np.log(p / q)).sum() + (q * np.log(q / p)).sum()
    outputs = torch.tensor(np.log([p]), dtype=torch.float32), torch.tensor(np.log([q]), dtype=torch.float32)
    labels, task = torch.tensor([0]), Classification(LabelFacts(names=NAMES))
    losses = task.mean_loss(outputs[0], labels), task.mean_loss(outputs[1], labels)
    found = r_drop_loss(task, 5.0, losses, outputs, {"labels": labels})
    assert float(found) == pytest.approx((-math.log(0.8) - math.log(0.6)) / 2 + 2.5 * apart, abs=1e-6)
    assert float(found) == pytest.approx(0.366984 + 2.5 * 0.196166, abs=1e-5)


def test_numbers_are_compared_by_their_squared_difference() -> None:
    one, other, none = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.5], [2.0]]), torch.zeros(())
    assert float(r_drop_loss(Regression(), 2.0, (none, none), (one, other), {})) == pytest.approx(2.0 * 0.25 / 2)


@pytest.mark.parametrize("task", [Classification(LabelFacts(names=NAMES)), MultiLabel(LabelFacts(names=NAMES))])
def test_the_gradient_goes_through_both_passes(task: Classification | MultiLabel) -> None:
    made, none = torch.Generator().manual_seed(0), torch.zeros((), dtype=torch.float64)
    one, other = (torch.randn(3, 2, generator=made, dtype=torch.float64) for _ in range(2))
    labels = {"labels": torch.zeros(3, dtype=torch.int64)}

    def apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return task.match(first, second, labels, soft="kl", temperature=1.0) + task.match(
            second, first, labels, soft="kl", temperature=1.0
        )

    assert torch.autograd.gradcheck(apart, (one.requires_grad_(), other.requires_grad_()))
    equal_outputs = r_drop_loss(task, 9.0, (none, none), (one, one), labels)
    assert float(equal_outputs.detach()) == pytest.approx(0.0, abs=1e-6)


def test_without_dropout_nothing_changes_and_no_second_pass_is_made(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> torch.Tensor:
        raise AssertionError("one pass is enough")

    settings = configured(epochs=1)
    settings.model.dropout = settings.model.attention_dropout = 0.0
    plain, losses, _ = train(settings, splits, tmp_path)
    monkeypatch.setattr(trainer, "r_drop_loss", never)
    settings.train.r_drop = 1.0
    same, again, _ = train(settings, splits, tmp_path)
    assert equal(plain, same) and losses == again


def test_dropout_of_a_share_of_zero_leaves_the_loss_of_two_passes_the_plain_one(splits: Splits) -> None:
    settings = configured()
    settings.model.dropout = settings.model.attention_dropout = 0.0
    model, task = model_of(settings, splits), task_of(splits, settings)
    batch = trainer.collate(splits.train, np.arange(8))
    targets = targets_to_tensors(batch, torch.device("cpu"))
    outputs = [model(**trainer.to_tensors(batch, torch.device("cpu"))) for _ in range(2)]
    loss = task.loss(outputs[0], targets)
    both = r_drop_loss(task, 3.0, (loss, task.loss(outputs[1], targets)), (outputs[0], outputs[1]), targets)
    torch.testing.assert_close(both, loss)


@pytest.mark.parametrize("further", [{}, {"precision": "bf16"}, {"accumulate": 2}, {"label_smoothing": 0.1}])
def test_a_resumed_training_is_the_same(splits: Splits, tmp_path: Path, further: dict[str, object]) -> None:
    settings = configured(r_drop=1.0, epochs=1, **further)
    straight, losses, _ = train(settings, splits, tmp_path / "a")
    (tmp_path / "b").mkdir()
    train(settings, splits, tmp_path / "b", stop_at=5)
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and done.resumed_from and equal(straight, resumed) and after == losses[done.resumed_from :]
    plain = train(configured(epochs=1, **further), splits, tmp_path / "c")[1]
    assert losses[0] > plain[0]  # the same first pass, and what lies between it and the second


def test_a_model_without_dropout_is_refused() -> None:
    dropout = Dropout(0.0)
    layers = torch.nn.Sequential(torch.nn.Linear(2, 2), dropout)
    check_dropout(layers, 0.0)
    with pytest.raises(ConfigError, match=r"R-Drop needs dropout, .* Try: model.dropout=0.1"):
        check_dropout(layers, 1.0)
    dropout.p = 0.1
    check_dropout(layers, 1.0)


def test_dropout_in_a_frozen_encoder_does_not_count(splits: Splits) -> None:
    settings = configured()
    settings.model.freeze, settings.model.readout = "encoder", {
        "name": "adapter_pool", "size": 4, "pool": "masked_mean", "shared": True, "skip": False, "length": 64,
    }  # fmt: skip
    model = model_of(
        settings, splits
    ).eval()  # the head has no dropout, and the encoder's layers, which have, are frozen
    with pytest.raises(ConfigError, match="outside frozen parts"):
        check_dropout(model, 1.0)
    assert not model.training
    settings.model.freeze = "embeddings"
    check_dropout(model_of(settings, splits), 1.0)
