"""Parameters with a rate of their own, what a model tells about itself, and evaluations within an epoch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from data.splits import Splits
from models.settings import ModelSettings
from runner.experiment.recipe import recipe_of
from runner.tasks.make import task_of
from runner.training.gradient_norms import gradient_norms
from runner.training.trainer import Trainer
from tests.conftest import REPO, run_cli
from tests.runner.training.test_loop import CPU, configured, equal, model_of, train

MIX: dict[str, Any] = yaml.safe_load((REPO / "conf/model/readout/scalar_mix.yaml").read_text(encoding="utf-8"))


def bermo(**train: object) -> Any:
    settings = configured(**train)
    settings.model = ModelSettings(layers=2, hidden=16, heads=2, readout=MIX)
    settings.schedule.name, settings.schedule.warmup = "constant", 0.0
    return settings


def test_the_scalars_move_at_their_own_rate_and_never_decay(splits: Splits) -> None:
    settings = bermo()
    settings.optimizer.lr, settings.optimizer.weight_decay, settings.train.clip_norm = 1e-4, 0.5, 0.0
    model: Any = model_of(settings, splits)
    mix, dense = model.bert.pooler.mix, model.bert.pooler.dense.bias
    before = [value.detach().clone() for value in (mix.weight, mix.gamma, dense)]
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    loop.step(loop.plan.batches(0)[0])
    moved = [(after - value).abs().max().item() for after, value in zip((mix.weight, mix.gamma, dense), before)]
    # Adam's first step is as long as the rate, whatever the gradient.
    assert moved == pytest.approx([1e-2, 1e-2, 1e-4], rel=2e-2)
    own = [group for group in loop.optimizer.inner.param_groups if group["scale"] != 1.0]
    assert [(group["weight_decay"], group["lr"]) for group in own] == [(0.0, pytest.approx(1e-2))]
    assert loop.optimizer.inner.param_groups[1]["weight_decay"] == 0.5


def test_a_model_without_rates_of_its_own_has_two_groups_as_ever(splits: Splits) -> None:
    settings = configured()
    loop = Trainer(model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU)
    assert [group["scale"] for group in loop.optimizer.inner.param_groups] == [1.0, 1.0]


def test_gradient_norms_are_those_of_each_block(splits: Splits) -> None:
    settings = bermo()
    model: Any = model_of(settings, splits)
    loop = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    ids = torch.from_numpy(np.arange(40).reshape(4, 10) % 100)
    model(ids).logsumexp(1).sum().backward()
    found = gradient_norms(model)
    assert found is not None and len(found) == 2
    for norm, block in zip(found, model.bert.encoder.layer):
        grads = torch.cat([p.grad.flatten() for p in block.parameters() if p.grad is not None])
        torch.testing.assert_close(norm, grads.norm())
    loop.optimizer.release()


def test_resume_is_exact_with_a_rate_of_its_own(splits: Splits, tmp_path: Path) -> None:
    settings = bermo(evals=5)
    straight, losses, _ = train(settings, splits, tmp_path / "a")
    (tmp_path / "b").mkdir()
    train(settings, splits, tmp_path / "b", 13)
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and equal(straight, resumed)
    assert after == losses[done.resumed_from :]


def test_evaluations_within_an_epoch_do_not_change_the_training(splits: Splits, tmp_path: Path) -> None:
    without, _, _ = train(bermo(), splits, tmp_path)
    within, _, _ = train(bermo(evals=7), splits, tmp_path)
    assert all(torch.allclose(without[name], within[name], atol=1e-6) for name in without)


def test_a_run_logs_its_mix_at_every_evaluation_and_records_the_last(reviews: Path, tmp_path: Path) -> None:
    words = ["model=bermo", f"data.path={reviews}", "data=files", "data.text=review", "data.label=stars",
             "data.max_length=32", "model.layers=1", "model.hidden=16", "model.heads=2", "model.pretrained=null",
             "model.tokenizer=train", "model.vocab_size=120", "train.epochs=1", "train.evals=4", "measure=off",
             "tracker=none"]  # fmt: skip
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = next((tmp_path / "outputs").glob("*/record.json")).parent
    points = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    mixed = [point for point in points if "mix/weight_1" in point]
    assert len(mixed) == 4
    assert all("val/accuracy" in point and "grad_norm/block_1" in point for point in mixed)
    metrics = json.loads((folder / "record.json").read_text())["metrics"]
    assert metrics["mix/weight_0"] + metrics["mix/weight_1"] == pytest.approx(1.0)
    assert {"mix/center", "mix/entropy", "mix/gamma", "train/area", "train/diverged"} <= set(metrics)
