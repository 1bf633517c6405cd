"""An encoder that is tuned on pairs of texts: cosines come apart, and an interruption changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from data.splits import Splits
from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.heads.text import SequenceClassifier
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints
from runner.training.few_labels.contrastive import PairHook, PairPlan, pair_recipe, tune_on_pairs
from runner.training.few_labels.vectors import text_vectors
from runner.training.state import TrainingState
from tests.runner.training.test_loop import CPU, Stop


def tune(splits: Splits, folder: Path, stop_at: int = 0) -> tuple[SequenceClassifier, list[float], int]:
    """The tuned model, the logged losses and the step it was resumed from; stop_at: a point that raises Stop."""
    settings = Settings(model=ModelSettings(layers=1, hidden=16, heads=2, readout={"name": "mean"}))
    settings.optimizer.lr, settings.train.epochs, settings.train.batch_size = 2e-3, 1, 16
    torch.manual_seed(0)
    dropout_generator.seed(0)
    model, _ = build(settings.model, HeadSpec("text", 2), vocab_size=splits.tokenizer.vocab_size)
    assert isinstance(model, SequenceClassifier)
    losses = list[float]()

    def on_point(state: TrainingState, values: dict[str, float]) -> None:
        losses.append(values["train/loss"])
        if state.step == stop_at:
            raise Stop

    found = tune_on_pairs(
        model, splits, task_of(splits, settings), pair_recipe(recipe_of(settings), 3), device=CPU,
        checkpoints=Checkpoints(folder, "tuning", 0.0), on_point=on_point,
    )  # fmt: skip
    return model, losses, found.resumed_from


def test_pairs_of_one_class_come_together_and_an_interrupted_tuning_goes_on_exactly(
    splits: Splits, tmp_path: Path
) -> None:
    model, losses, _ = tune(splits, tmp_path / "whole")
    assert np.mean(losses[-10:]) < 0.5 * losses[0]
    vectors = text_vectors(model, splits.select, CPU)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.asarray(splits.select.known_labels)
    is_same = labels[:, None] == labels
    cosines = vectors @ vectors.T
    assert cosines[is_same].mean() > cosines[~is_same].mean() + 0.5

    with pytest.raises(Stop):
        tune(splits, tmp_path / "parts", stop_at=20)
    again, rest, resumed_from = tune(splits, tmp_path / "parts")
    assert 0 < resumed_from <= 20 and rest[-5:] == losses[-5:]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_a_batch_has_each_row_beside_the_one_drawn_for_it(splits: Splits) -> None:
    settings = Settings()
    settings.train.batch_size = 8
    recipe = pair_recipe(recipe_of(settings), 3)
    assert recipe.train.epochs == 3 * 2 * 3 and recipe.train.accumulate == 1, "three epochs of six rounds"
    batches = PairPlan(splits, recipe).batches(0)
    assert all(len(rows) == 16 for rows in batches[1:-1])
    pairs = np.concatenate(batches).reshape(-1, 2)
    assert sorted(pairs[:, 0].tolist()) == list(range(len(splits.train))) and (pairs[:, 0] != pairs[:, 1]).all()


def test_the_loss_is_the_squared_error_of_the_cosines() -> None:
    class Fixed(torch.nn.Module):
        def encode(self, *_: object) -> torch.Tensor:
            return torch.tensor([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [1.0, 1.0]])

        def score(self, vectors: torch.Tensor) -> torch.Tensor:
            return vectors

    hook = PairHook(Fixed())  # type: ignore[arg-type]
    output = hook.forward(lambda **_: torch.zeros(0), {"input_ids": torch.zeros(0)}, np.arange(4))
    for labels, expected in (([0, 0, 0, 1], 0.25), ([0, 1, 1, 1], (1 + (1 - 0.5**0.5) ** 2) / 2)):
        found = hook.loss(torch.zeros(()), output, {"labels": torch.tensor(labels)}, np.arange(4))
        assert float(found) == pytest.approx(expected)
