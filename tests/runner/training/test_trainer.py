"""One training in progress: what a step changes, whose weights are kept, and which metrics a point has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from data.labels import Labels
from data.splits import Splits
from models.compression.distillation.losses import soft_divergence
from models.compression.stage import Targets, TrainingHook
from runner.experiment.recipe import recipe_of
from runner.tasks.make import task_of
from runner.training.trainer import Trainer
from tests.runner.training.test_loop import CPU, configured, equal, model_of


def test_a_step_touches_only_what_requires_gradients(splits: Splits) -> None:
    settings = configured()
    model = model_of(settings, splits)
    model.bert.embeddings.requires_grad_(False)  # type: ignore[union-attr,operator]
    before = model.bert.embeddings.word_embeddings.weight.clone()  # type: ignore[union-attr,operator]
    trainer = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    trainer.step(np.arange(8))
    assert torch.equal(before, model.bert.embeddings.word_embeddings.weight)  # type: ignore[union-attr,arg-type]


def test_weights_are_by_token_id_while_the_word_table_is_rearranged(splits: Splits) -> None:
    settings = configured()
    model = model_of(settings, splits)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = Trainer(model, splits, task_of(splits, settings), recipe_of(settings), CPU)
    table = trainer.table
    assert table is not None and table.order.tolist() != sorted(table.order)
    assert not torch.equal(model.state_dict()[table.name], before[table.name])
    kept = trainer.weights()
    assert all(torch.equal(value, kept[name]) for name, value in before.items())
    trainer.finish(0, wants_moments=False)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("at", ["evaluate", "end_epoch"])
def test_what_is_evaluated_has_all_of_its_weight_decay(splits: Splits, at: str) -> None:
    settings = configured()
    settings.optimizer.weight_decay = 0.1
    trainer = Trainer(model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU)
    trainer.step(np.arange(8))
    assert trainer.optimizer.shrink < 1.0, "rows of the word table that no training row has decay later"
    getattr(trainer, at)()
    assert trainer.optimizer.shrink == 1.0


def test_a_point_has_the_mean_loss_since_the_last_one(splits: Splits) -> None:
    settings = configured()
    trainer = Trainer(model_of(settings, splits).train(), splits, task_of(splits, settings), recipe_of(settings), CPU)
    losses = []
    for rows in (np.arange(8), np.arange(8, 24)):
        before = float(trainer.loss_sum)
        norm = trainer.step(rows)
        losses.append(float(trainer.loss_sum) - before)
    point = trainer.training_metrics(norm, seconds=2.0)
    assert point["train/loss"] == pytest.approx(sum(losses) / 24) and point["train/examples_per_s"] == 12.0
    assert point["train/lr"] == trainer.schedule.rate(1) and point["train/grad_norm"] > 0
    trainer.step(np.arange(8))
    assert "train/grad_norm" not in trainer.training_metrics(None, seconds=1.0)
    assert trainer.state.loss_rows == 0 and float(trainer.loss_sum) == 0.0


def test_moments_are_returned_only_where_they_are_asked_for(splits: Splits) -> None:
    settings = configured()
    for wanted in (False, True):
        trainer = Trainer(model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU)
        trainer.step(np.arange(8))
        moments = trainer.finish(0, wants_moments=wanted).moments
        assert bool(moments) is wanted


class Late(TrainingHook):
    """Keeps no epoch until it is ready, as a pruning whose schedule has not ended."""

    is_ready = False

    def may_keep(self) -> bool:
        return self.is_ready


def test_an_epoch_before_a_stage_is_ready_is_never_the_best(splits: Splits) -> None:
    settings, hook = configured(), Late()
    trainer = Trainer(model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU, hook)
    trainer.end_epoch()
    assert (trainer.state.best_epoch, trainer.state.stale, trainer.best.state()) == (-1, 0, {})
    hook.is_ready = True
    trainer.step(np.arange(8))
    trainer.end_epoch()
    assert trainer.state.best_epoch == 2
    assert equal(trainer.best.state(), trainer.weights())


class Taught(TrainingHook):
    """Adds the divergence from a teacher's answers, a mean over all rows, to the task's loss."""

    def loss(self, task_loss: torch.Tensor, output: torch.Tensor, targets: Targets, rows: np.ndarray) -> torch.Tensor:
        answers = torch.from_numpy(np.stack([np.sin(rows), np.cos(rows)], 1)).float()
        return task_loss + soft_divergence(output.float(), answers, 1.0)


@pytest.mark.parametrize("unlabelled", [0, 30])
def test_parts_of_a_batch_with_class_weights_learn_from_a_teacher_as_the_whole_does(
    splits: Splits, unlabelled: int
) -> None:
    labels = np.array(splits.train.labels.values)
    labels[: len(labels) // 3] = 0
    train = replace(splits.train, labels=Labels(labels), num_unlabelled=unlabelled)
    settings, found = configured(), []
    settings.model.dropout = settings.model.attention_dropout = 0.0  # masks are drawn a part at a time
    settings.data.class_weights = "balanced"
    taught, rows = replace(splits, train=train), np.arange(8) * 6 + len(labels) - 50  # the last ones without a label
    for settings.train.accumulate in (1, 4):
        model = model_of(settings, splits).train()
        trainer = Trainer(model, taught, task_of(taught, settings), recipe_of(settings), CPU, Taught())
        norm = trainer.step(rows)
        assert norm is not None
        found.append((float(norm), float(trainer.loss_sum)))
    assert found[0] == pytest.approx(found[1], rel=1e-5)
