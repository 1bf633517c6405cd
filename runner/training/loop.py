"""The training loop: one plain loop. One number is read a step: is this batch's loss and gradient finite?

`fit` reads as: plan the steps, go on from a checkpoint if there is one, then for each epoch train, evaluate on the
selection split, keep the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn

from data.batch import Batch, collate
from data.splits import Splits
from models.backbones.dropout import dropout_generator
from models.compression.stage import TrainingHook
from runner.machine.exclusive import clock, give_way
from runner.record.metrics import direction
from runner.schema import Settings
from runner.tasks import class_weights, get, loss_of
from runner.training.checkpoint import Checkpoints, below
from runner.training.compact_vocabulary import arranged
from runner.training.flat_optimizer import FlatOptimizer
from runner.training.gradient_norms import gradient_norms, module_metrics
from runner.training.inference import autocast, predict, score, to_tensors
from runner.training.nonfinite import Guard, SkippedBatch, Statistics
from runner.training.plan import BatchPlan
from runner.training.schedule import Schedule, is_better
from runner.training.state import TrainingResult, TrainingState
from runner.training.weight_average import Average

Report = Callable[[TrainingState, dict[str, float]], None]


class Trainer:
    """The state of one training: model, optimizer, schedule and position.

    While it lives the model's tensors lie in flat buffers and its word table is rearranged; `release` ends that.
    """

    def __init__(
        self, model: nn.Module, splits: Splits, settings: Settings, device: torch.device,
        hook: TrainingHook | None = None, moments: dict[str, torch.Tensor] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.splits, self.settings, self.device = model, splits, settings, device
        self.hook = hook or TrainingHook()
        self.task = get(splits.task.kind)
        self.plan = BatchPlan(splits.train.lengths, settings.train, settings.seed)
        self.vocabulary, said = arranged(model, splits.train, settings)
        self.facts = {"compact_vocabulary": said}  # about the engine, for the record
        self.lookup = self.vocabulary.lookup if self.vocabulary else None
        extra = self.hook.extra
        self.flat = FlatOptimizer(
            nn.ModuleList([model, extra]) if extra else model, settings.optimizer, self.vocabulary, moments
        )
        self.forward = torch.compile(model, dynamic=True) if settings.engine.compile else model
        self.primary = f"{splits.select.name}/{splits.task.metrics[0]}"
        self.schedule = Schedule(settings.schedule, settings.optimizer.lr, self.plan.total, direction(self.primary))
        self.position = TrainingState()
        self.average = Average(model, settings.train.average)
        self.best: dict[str, torch.Tensor] | None = None
        self.class_weights = class_weights(splits, settings.data.class_weights, device)
        self.row_weights = np.zeros(0) if self.class_weights is None else self.class_weights.cpu().numpy()
        self.loss_sum = torch.zeros((), device=device)
        self.left_out: SkippedBatch | None = None  # by the last step
        self.statistics = Statistics(model)
        self.block_norms: torch.Tensor | None = None  # of the last step before an evaluation
        self.watched: dict[str, float] = {}  # the model's facts at the last evaluation

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of the model's tensors, the word table by token id."""
        found = {name: value.detach() for name, value in self.model.state_dict().items()}
        table = self.vocabulary.name if self.vocabulary else None
        return {
            name: self.vocabulary.by_token(value) if self.vocabulary and name == table else value.clone()
            for name, value in found.items()
        }

    def resume(self, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
        """Go on from a checkpoint whose weights the model already holds."""
        self.flat.load(below("optimizer/", tensors))
        self.best = below("best/", tensors) or None
        self.average.load(below("average/", tensors))
        self.hook.load(below("during/", tensors))
        self.position = TrainingState(**state)
        self.flat.shrink = self.position.shrink
        self.loss_sum.fill_(self.position.loss_sum)
        for name, value in self.position.schedule.items():
            setattr(self.schedule, name, value)
        torch.set_rng_state(tensors["random/cpu"])
        dropout_generator.load(tensors["random/masks"])
        self.block_norms = tensors.get("watched/block_norms")
        if "random/cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random/cuda"])

    def save(self, checkpoints: Checkpoints) -> None:
        """Write a checkpoint of this very moment."""
        self.position.loss_sum = float(self.loss_sum)
        self.position.schedule = self.schedule.state()
        self.position.shrink = self.flat.shrink
        parts = {
            "model": self.weights(),
            "best": self.best or {},
            "average": self.average.state(),
            "optimizer": self.flat.state(),
            "extra": self.hook.extra.state_dict() if self.hook.extra else {},
            "during": self.hook.state(),
        }
        tensors = {f"{part}/{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
        tensors |= {"random/cpu": torch.get_rng_state(), "random/masks": dropout_generator.state()}
        if torch.cuda.is_available():
            tensors["random/cuda"] = torch.cuda.get_rng_state()
        if self.block_norms is not None:
            tensors["watched/block_norms"] = self.block_norms
        checkpoints.save(tensors, asdict(self.position))

    def step(self, rows: np.ndarray) -> torch.Tensor | None:
        """One optimizer step on the given rows, in `accumulate` parts; answers the gradient's norm.

        None for a batch whose loss or gradient is not finite: it is `left_out`, and changes no weight and no moment.
        """
        position = self.position
        self.statistics.remember()
        self.hook.before_step(position.step)
        loss, answers, touched = self._backward(rows)
        found = self.flat.gradients(touched)
        self.left_out = None
        if math.isfinite(float(loss + found.norm)):
            if position.step + 1 in self.plan.watched:
                self.block_norms = gradient_norms(self.model)
            self.flat.step(self.schedule.rate(position.step), self.settings.train.clip_norm, found)
            self.loss_sum += loss
            position.examples += len(rows)
            position.loss_rows += len(rows)
        else:
            self.flat.clear(found)
            self.statistics.restore()
            self.left_out = SkippedBatch.of(rows, loss, found.norm, answers)
            position.left_out += 1
        self.hook.after_step(position.step)
        position.step += 1
        return None if self.left_out else found.norm

    def _backward(self, rows: np.ndarray) -> tuple[torch.Tensor, list[Any], np.ndarray | None]:
        """Make the gradients of the rows' mean loss; answers the summed loss, the logits, and the table's rows."""
        pad_id, epoch, train = self.splits.tokenizer.pad_id, self.position.epoch, self.splits.train
        parts = np.array_split(rows, min(self.settings.train.accumulate, len(rows)))
        batches = [collate(train, part, pad_id, self.lookup, epoch) for part in parts]
        whole = sum(map(self._weight, batches)) or 1.0  # 0: no word of the batch was masked
        total, answers, compared = torch.zeros_like(self.loss_sum), list[Any](), self.splits.task.in_loss
        for batch in batches:
            labels = torch.from_numpy(batch.labels).to(self.device, non_blocking=True)
            with autocast(self.device, self.settings.train.precision):
                logits = self.hook.forward(self.forward, to_tensors(batch, self.device), batch.rows)
            loss = loss_of(self.task, *compared(logits, labels), self.class_weights, train.has_label(batch.rows))
            loss = self.hook.loss(loss, logits, labels, batch.rows)
            share = self._weight(batch) / whole
            (loss * share).backward()
            total += loss.detach() * (share * len(rows))
            answers.append(logits)
        touched = self.vocabulary.rows_of([batch.input_ids for batch in batches]) if self.vocabulary else None
        return total, answers, touched

    def _weight(self, batch: Batch) -> float:
        """What a batch counts for in the mean loss: the number of its labels, or the sum of their class weights."""
        if self.class_weights is None:
            return float(len(batch.labels))
        return float(self.row_weights[batch.labels].sum())

    def evaluate(self) -> dict[str, float]:
        """The metrics of the selection split as the model stands, and the facts it offers."""
        self.flat.settle()
        logits = predict(
            self.model,
            self.splits.select,
            pad_id=self.splits.tokenizer.pad_id,
            batch_size=self.settings.train.eval_batch_size,
            device=self.device,
            precision=self.settings.train.precision,
            lookup=self.lookup,
        )
        self.watched = module_metrics(self.model, self.block_norms) | self.hook.facts()
        return score(self.splits.task, self.splits.select, logits)

    def drain(self, norm: torch.Tensor | None, seconds: float) -> dict[str, float]:
        """The training metrics since the last point."""
        position = self.position
        values = {
            "train/loss": float(self.loss_sum) / position.loss_rows,
            "train/lr": self.schedule.rate(position.step - 1),
            "train/epoch": position.epoch + position.batch / self.plan.steps[position.epoch],
            "train/examples_per_s": position.loss_rows / max(seconds, 1e-9),
        }
        if norm is not None:
            values["train/grad_norm"] = float(norm)
        if position.left_out:
            values["train/left_out"] = position.left_out
        self.loss_sum.zero_()
        position.loss_rows = 0
        return values


def fit(
    model: nn.Module,
    splits: Splits,
    settings: Settings,
    *,
    device: torch.device,
    checkpoints: Checkpoints,
    on_point: Report,
    on_epoch: Report,
    hook: TrainingHook | None = None,
    moments: dict[str, torch.Tensor] | None = None,
) -> TrainingResult:
    """Train `model` in place and leave the kept weights in it (the best epoch on the selection split, or the last).

    on_point: called about 200 times a run with the training metrics; on_epoch: after each epoch with the metrics of
    the selection split; hook: what a compression stage does meanwhile; moments: an earlier training's, to go on
    with (empty: none, but hand on this one's). Raises NotFinite.
    """
    if hook:
        hook.begin(model, BatchPlan(splits.train.lengths, settings.train, settings.seed).total)
    found = checkpoints.newest()
    if found:
        model.load_state_dict(below("model/", found[0]), strict=True)
        if hook and hook.extra:
            hook.extra.load_state_dict(below("extra/", found[0]))
    loop = Trainer(model, splits, settings, device, hook, moments)
    if found:
        loop.resume(*found)
    position, resumed_from = loop.position, loop.position.step
    guard = Guard(settings, splits, checkpoints.folder.parent, checkpoints.identity, loop.plan.total)
    started = clock() - position.seconds
    model.train()
    while position.epoch < loop.plan.epochs and not position.is_over(settings.train.patience):
        for values in _epoch(loop, guard, checkpoints, started):
            on_point(position, values)
        loop.flat.settle()
        with loop.average.at_end():
            values = loop.evaluate()
            _keep_best(loop, values[loop.primary])
        position.epoch, position.batch = position.epoch + 1, 0
        position.seconds = clock() - started
        on_epoch(position, values | loop.watched)
        if checkpoints.due(at_epoch_end=True):
            loop.save(checkpoints)
    moments = {} if moments is None else loop.flat.moments()
    loop.average.put()
    loop.flat.release()
    if settings.train.keep_best and loop.best is not None:
        model.load_state_dict(loop.best)
    loop.hook.end(model)
    best_epoch = position.best_epoch if settings.train.keep_best else position.epoch
    return TrainingResult(
        position.seconds, position.examples, position.step, best_epoch, position.epoch, position.best_metric,
        resumed_from, loop.facts, module_metrics(model, loop.block_norms), moments, position.left_out,
    )  # fmt: skip


def _epoch(loop: Trainer, guard: Guard, checkpoints: Checkpoints, started: float) -> Iterator[dict[str, float]]:
    """Train one epoch from the position on; yields the metrics of each logged point."""
    position, plan = loop.position, loop.plan
    since = clock()
    for rows in plan.batches(position.epoch)[position.batch :]:
        give_way()
        norm = loop.step(rows)
        position.batch += 1
        if loop.left_out:
            guard.observe(loop.left_out, position)
        is_evaluated = position.step in plan.evaluated
        is_logged = is_evaluated or position.step % plan.log_every == 0 or position.step == plan.total
        if is_logged and position.loss_rows:  # none: all since the last point was left out, and nothing has changed
            values = loop.drain(norm, clock() - since)
            if is_evaluated:
                values |= loop.evaluate() | loop.watched
            position.seconds = clock() - started
            yield values
            since = clock()
        if checkpoints.due():
            position.seconds = clock() - started
            loop.save(checkpoints)


def _keep_best(loop: Trainer, metric: float) -> None:
    """Remember the weights if this epoch is the best so far on the selection split."""
    position = loop.position
    loop.schedule.observe(metric)
    if not loop.hook.may_keep():
        return
    if is_better(metric, position.best_metric, loop.schedule.direction):
        position.best_metric, position.best_epoch, position.stale = metric, position.epoch + 1, 0
        if loop.settings.train.keep_best:
            loop.best = loop.weights()
    else:
        position.stale += 1
