"""Row by row SGD: the sum over a step's texts for rows and last layer, the mean for what all texts share."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data.batch import collate
from data.splits import Splits
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.schema import ROW_SGD, Settings
from runner.tasks.make import task_of
from runner.training.inference import to_tensors
from runner.training.row_optimizer import RowOptimizer
from runner.training.trainer import Trainer
from tests.runner.training.test_loop import CPU, equal, model_of, train

PAIRS = ModelSettings(
    family="dsn", hidden=16, width=0.5, readout={"name": "mean"}, norm="none", dropout=0.0,
    embedding={"name": "bigram", "buckets": 97},
)  # fmt: skip
WORDS = ModelSettings(family="dsn", hidden=16, width=0.5, readout={"name": "mean"}, dropout=0.0)


def settings_of(model: ModelSettings, clip: float = 0.0, accumulate: int = 1) -> Settings:
    settings = Settings(model=model)
    settings.optimizer.name, settings.optimizer.lr, settings.optimizer.weight_decay = ROW_SGD, 0.05, 0.0
    settings.train.batch_size, settings.train.clip_norm, settings.train.accumulate = 8, clip, accumulate
    settings.train.epochs = 2
    return settings


def is_shared(name: str) -> bool:
    """Is this a position, a segment, a norm or a bias? All else is a row or the last layer."""
    return any(part in name for part in ("position", "token_type", "LayerNorm", "bias"))


def plain(settings: Settings, splits: Splits, steps: int) -> dict[str, Tensor]:
    """The textbook loop: dense gradients of the mean, times the texts of the step except for what all share."""
    model = model_of(settings, splits).double().train()
    loop = Trainer(model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU)
    for step in range(steps):
        rows = loop.plan.batches(0)[step]
        batch = collate(splits.train, rows)
        F.cross_entropy(model(**to_tensors(batch, CPU)).float(), torch.from_numpy(batch.targets["labels"])).backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.train.clip_norm or math.inf)
        rate = loop.schedule.rate(step)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.grad is not None:
                    parameter -= rate * (1 if is_shared(name) else len(rows)) * parameter.grad
                    parameter.grad = None
    return model.state_dict()


@pytest.mark.parametrize(
    ("model", "clip", "accumulate"), [(WORDS, 0.0, 1), (PAIRS, 0.0, 1), (PAIRS, 0.02, 1), (WORDS, 0.02, 3)]
)
def test_ten_steps_equal_the_textbook(splits: Splits, model: ModelSettings, clip: float, accumulate: int) -> None:
    settings = settings_of(model, clip, accumulate)
    expected = plain(settings, splits, 10)
    trained = model_of(settings, splits).double()
    loop = Trainer(trained, splits, task_of(splits, settings), recipe_of(settings), CPU)
    loop.model.train()
    for rows in loop.plan.batches(0)[:10]:
        loop.step(rows)
    loop.optimizer.release()
    for name, value in trained.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-6)


def test_a_row_that_no_step_reads_keeps_its_bits(splits: Splits) -> None:
    settings = settings_of(WORDS)
    model = model_of(settings, splits)
    before = model.bert.word_vectors().weight.detach().clone()  # type: ignore[operator, union-attr]
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    rows = loop.plan.batches(0)[0]
    loop.step(rows)
    read = set(collate(splits.train, rows).inputs["input_ids"].flatten().tolist()) - {0}
    changed = (model.bert.word_vectors().weight != before).any(1).nonzero().flatten().tolist()  # type: ignore[operator, union-attr]
    assert set(changed) == read


@pytest.mark.parametrize("stop_at", [3, 13])  # 12 steps an epoch
def test_resume_is_exact(splits: Splits, tmp_path: Path, stop_at: int) -> None:
    settings = settings_of(PAIRS)
    straight, losses, _ = train(settings, splits, tmp_path / "a")
    (tmp_path / "b").mkdir()
    train(settings, splits, tmp_path / "b", stop_at)
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and 0 < done.resumed_from < stop_at
    assert equal(straight, resumed) and after == losses[done.resumed_from :]


def test_a_frozen_table_is_not_touched(splits: Splits) -> None:
    model = model_of(settings_of(WORDS), splits)
    model.bert.word_vectors().requires_grad_(False)  # type: ignore[operator, union-attr]
    assert not RowOptimizer(model).tables
