"""One training in progress: its steps, evaluations and checkpoints.

A step reads one number from the device, to check that loss and gradient of the batch are finite.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data.batch import Batch, collate
from data.json_types import JsonObject
from data.splits import Splits
from models.backbones.dropout import has_dropout
from models.compression.stage import TrainingHook
from runner.machine.exclusive import Exclusive
from runner.record.metrics import direction
from runner.tasks.base import Task
from runner.training.checkpoint import Checkpoints, with_prefix
from runner.training.compact_vocabulary import arrange_table
from runner.training.gradient_norms import GradientNorms, module_metrics
from runner.training.inference import autocast, predict, score_selection, targets_to_tensors, to_tensors
from runner.training.nonfinite import BatchNormStatistics, SkippedBatch
from runner.training.part_shares import part_shares
from runner.training.plan import BatchPlan
from runner.training.r_drop import r_drop_loss
from runner.training.recipe import TrainingRecipe
from runner.training.row_optimizer import make_step_optimizer
from runner.training.schedule import Schedule
from runner.training.state import BestWeights, RandomState, Stateful, TrainingResult, TrainingState
from runner.training.weight_average import WeightAverage


class Trainer:
    """One training: the model, its optimizer and schedule, and its progress.

    Until `finish`, the model's tensors are views of flat buffers and its word table is rearranged.
    """

    def __init__(
        self, model: nn.Module, splits: Splits, task: Task, recipe: TrainingRecipe, device: torch.device,
        hook: TrainingHook | None = None, moments: dict[str, Tensor] | None = None,
        exclusive: Exclusive | None = None,
    ) -> None:  # fmt: skip
        """moments, exclusive: as in `fit`."""
        self.model, self.splits, self.recipe, self.device = model, splits, recipe, device
        self.hook = hook or TrainingHook()
        self.exclusive = exclusive or Exclusive()
        self.task = task
        self.plan = BatchPlan(splits.train.lengths, recipe.train, recipe.seed, splits.train.units)
        self.table, told = arrange_table(model, splits.train, recipe.optimizer, recipe.engine.compact_vocabulary)
        self.engine_facts = {"compact_vocabulary": told}  # for the record
        self.lookup = self.table.lookup if self.table else None
        extra = self.hook.extra
        trained = nn.ModuleList([model, extra]) if extra else model
        self.optimizer = make_step_optimizer(trained, recipe.optimizer, self.table, moments)
        self.forward = torch.compile(model, dynamic=True) if recipe.engine.compile else model
        self.primary = f"{splits.select.name}/{task.metrics[0]}"
        self.schedule = Schedule(recipe.schedule, recipe.optimizer.lr, self.plan.total, direction(self.primary))
        self.state = TrainingState()
        self.average = WeightAverage(model, recipe.train.average)
        self.best = BestWeights(recipe.train.keep_best, self.schedule.direction)
        self.loss_sum = torch.zeros((), device=device)
        self.skipped: SkippedBatch | None = None  # the batch that the last step skipped, if any
        self.statistics = BatchNormStatistics(model)
        self.gradient_norms = GradientNorms()
        self.module_metrics: dict[str, float] = {}  # at the last evaluation
        self.parts: dict[str, Stateful] = {  # by their names in a checkpoint
            "best": self.best, "average": self.average, "optimizer": self.optimizer, "during": self.hook,
            "random": RandomState(), "watched": self.gradient_norms,
        }  # fmt: skip

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the model's tensors, with the word table in the order of token ids."""
        found = {name: value.detach() for name, value in self.model.state_dict().items()}
        table = self.table.name if self.table else None
        return {
            name: self.table.by_token(value) if self.table and name == table else value.clone()
            for name, value in found.items()
        }

    def resume(self, tensors: dict[str, Tensor], state: JsonObject) -> None:
        """Continue from a checkpoint whose weights are already in the model."""
        for name, part in self.parts.items():
            part.load(with_prefix(f"{name}/", tensors))
        self.state = TrainingState(**state)
        self.optimizer.shrink = self.state.shrink
        self.loss_sum.fill_(self.state.loss_sum)
        self.schedule.load(self.state.schedule)

    def save(self, checkpoints: Checkpoints) -> None:
        """Write a checkpoint of the current state."""
        self.state.loss_sum = float(self.loss_sum)
        self.state.schedule = self.schedule.state()
        self.state.shrink = self.optimizer.shrink
        parts = {"model": self.weights(), "extra": self.hook.extra.state_dict() if self.hook.extra else {}}
        parts |= {name: part.state() for name, part in self.parts.items()}
        tensors = {f"{part}/{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
        checkpoints.save(tensors, asdict(self.state))

    def step(self, rows: np.ndarray) -> Tensor | None:
        """Take one optimizer step on the given rows, in `accumulate` parts, and return the gradient's norm.

        None for a batch whose loss or gradient is not finite: it is `skipped`, and changes no weights or moments.
        """
        state = self.state
        self.statistics.remember()
        self.hook.before_step(state.step)
        loss, outputs, touched = self._backward(rows)
        found = self.optimizer.gradients(touched)
        self.skipped = None
        if math.isfinite(float(loss + found.norm)):
            if state.step + 1 in self.plan.evaluations:
                self.gradient_norms.observe(self.model)
            rate = self.schedule.rate(state.step)
            self.optimizer.step(rate, self.recipe.train.clip_norm, found, len(rows))
            self.loss_sum += loss
            state.examples += len(rows)
            state.loss_rows += len(rows)
        else:
            self.optimizer.clear(found)
            self.statistics.restore()
            self.skipped = SkippedBatch.of(rows, loss, found.norm, outputs)
            state.left_out += 1
        self.hook.after_step(state.step)
        state.step += 1
        return None if self.skipped else found.norm

    def _backward(self, rows: np.ndarray) -> tuple[Tensor, list[tuple[Batch, Any]], np.ndarray | None]:
        """Compute gradients of the rows' mean loss; returns the summed loss, outputs by part, and table rows read."""
        epoch, train = self.state.epoch, self.splits.train
        parts = self.plan.parts(rows, self.recipe.train.accumulate)
        batches = [collate(train, part, lookup=self.lookup, epoch=epoch) for part in parts]
        known = [(batch.targets, train.has_label(batch.rows)) for batch in batches]
        shares = part_shares(self.task, known, self.hook.soft)
        loss_sum, outputs = torch.zeros_like(self.loss_sum), list[tuple[Batch, Any]]()
        for batch, (share, factor, self.hook.matched) in zip(batches, shares):
            loss, logits = self._loss(batch, factor)
            (loss * share).backward()
            loss_sum += loss.detach() * (share * len(rows))
            outputs.append((batch, logits))
        touched = self.table.rows_of([batch.inputs["input_ids"] for batch in batches]) if self.table else None
        return loss_sum, outputs, touched

    def _loss(self, batch: Batch, factor: float) -> tuple[Tensor, Any]:
        """Return the loss of a part of a batch, and its outputs; train.r_drop adds a second pass.

        factor: of the task's own loss, see `part_shares`.
        """
        targets, alpha = targets_to_tensors(batch, self.device), self.recipe.train.r_drop
        loss, logits = self._pass(batch, targets, factor)
        if not alpha or not has_dropout(self.model):  # a stage may switch dropout off
            return loss, logits
        again, others = self._pass(batch, targets, factor)
        return r_drop_loss(self.task, alpha, (loss, again), (logits, others), targets), logits

    def _pass(self, batch: Batch, targets: dict[str, Tensor], factor: float) -> tuple[Tensor, Any]:
        """Return the loss of one pass over a part of a batch, and its outputs."""
        with autocast(self.device, self.recipe.train.precision):
            logits = self.hook.forward(self.forward, to_tensors(batch, self.device), batch.rows)
        loss = self.task.loss(logits, targets, self.splits.train.has_label(batch.rows))
        return self.hook.loss(loss if factor == 1.0 else loss * factor, logits, targets, batch.rows), logits

    def evaluate(self) -> dict[str, float]:
        """Return the metrics of the current model on the selection split; sets `module_metrics`."""
        self.optimizer.apply_pending_decay()
        logits = predict(
            self.model,
            self.splits.select,
            batch_size=self.recipe.train.eval_batch_size,
            device=self.device,
            precision=self.recipe.train.precision,
            lookup=self.lookup,
            exclusive=self.exclusive,
            task=self.task,
        )
        self.module_metrics = module_metrics(self.model, self.gradient_norms.norms) | self.hook.facts()
        return score_selection(self.task, self.splits.select, logits)

    def training_metrics(self, norm: Tensor | None, seconds: float) -> dict[str, float]:
        """Return the training metrics since the last point, `seconds` ago, and reset them."""
        state = self.state
        values = {
            "train/loss": float(self.loss_sum) / state.loss_rows,
            "train/lr": self.schedule.rate(state.step - 1),
            "train/epoch": state.epoch + state.batch / self.plan.steps[state.epoch],
            "train/examples_per_s": state.loss_rows / max(seconds, 1e-9),
        }
        if norm is not None:
            values["train/grad_norm"] = float(norm)
        if state.left_out:
            values["train/left_out"] = state.left_out
        self.loss_sum.zero_()
        state.loss_rows = 0
        return values

    def end_epoch(self) -> dict[str, float]:
        """Evaluate the weights at the end of an epoch, or their mean, and keep them if they are the best so far.

        {} after an epoch without an evaluation (train.eval_every).
        """
        self.optimizer.apply_pending_decay()
        with self.average.at_end():
            values = self._evaluate_epoch() if self.state.epoch in self.plan.evaluated_epochs else {}
        self.state.epoch, self.state.batch = self.state.epoch + 1, 0
        return values

    def _evaluate_epoch(self) -> dict[str, float]:
        values = self.evaluate()
        loss = values.get(f"{self.splits.select.name}/loss", math.nan)
        self.schedule.observe(values[self.primary], loss)
        if self.hook.may_keep():
            self.best.observe(values[self.primary], self.state, self.weights, loss)
        return values

    def finish(self, resumed_from: int, wants_moments: bool) -> TrainingResult:
        """Leave the kept weights in the model, in its own tensors; wants_moments: include moments in the result."""
        moments = self.optimizer.moments() if wants_moments else {}
        self.average.put()
        self.optimizer.release()
        self.best.put_into(self.model)
        self.hook.end(self.model)
        state = self.state
        best_epoch = state.best_epoch if self.best.is_kept else state.epoch
        kept = module_metrics(self.model, self.gradient_norms.norms)
        return TrainingResult(
            state.seconds, state.examples, state.step, best_epoch, state.epoch, state.best_metric, resumed_from,
            self.engine_facts, kept, moments, state.left_out,
        )  # fmt: skip
