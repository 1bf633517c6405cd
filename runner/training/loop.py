"""The training loop: plan the steps, resume from a checkpoint, then for each epoch train, evaluate, keep the best."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from data.json_types import JsonObject
from data.splits import Splits
from models.compression.stage import TrainingHook
from runner.machine.allocator import MemoryGuard
from runner.machine.exclusive import Exclusive
from runner.tasks.base import Task
from runner.tasks.finite import NotFiniteOutputs
from runner.training.checkpoint import Checkpoints, with_prefix
from runner.training.nonfinite import NonFiniteGuard, NotFinite
from runner.training.plan import BatchPlan
from runner.training.recipe import TrainingRecipe
from runner.training.state import TrainingResult, TrainingState
from runner.training.trainer import Trainer

Report = Callable[[TrainingState, dict[str, float]], None]


class Paused(Exception):
    """A training has paused as requested, with its checkpoint written. The message says after which epoch."""


def fit(
    model: nn.Module,
    splits: Splits,
    task: Task,
    recipe: TrainingRecipe,
    *,
    device: torch.device,
    checkpoints: Checkpoints,
    on_point: Report,
    on_epoch: Report,
    hook: TrainingHook | None = None,
    moments: dict[str, Tensor] | None = None,
    exclusive: Exclusive | None = None,
) -> TrainingResult:
    """Train `model` in place and leave the kept weights in it (the best epoch on the selection split, or the last).

    on_point: called about 200 times a run with the training metrics; on_epoch: called after each evaluated epoch with
    the metrics of the selection split. hook: lets a compression stage act in the loop. moments: optimizer moments of an
    earlier training, to continue with; {} starts without any; unless None, the result has this training's. exclusive:
    pauses the run while another run is being timed. Raises NotFinite, NotFiniteOutputs in an evaluation, and Paused
    where the recipe asks for it.
    """
    if hook:
        hook.begin(model, BatchPlan(splits.train.lengths, recipe.train, recipe.seed, splits.train.units).total)
    saved = restore_weights(model, hook, checkpoints)
    trainer = Trainer(model, splits, task, recipe, device, hook, moments, exclusive)
    if saved:
        trainer.resume(*saved)
    state, resumed_from = trainer.state, trainer.state.step
    guard = NonFiniteGuard(
        recipe.train, recipe.optimizer.lr, splits, checkpoints.run_folder, checkpoints.identity, trainer.plan.total
    )
    clock = trainer.exclusive.clock
    started = clock() - state.seconds
    model.train()
    try:
        while state.epoch < trainer.plan.epochs and not state.is_over(recipe.train.patience):
            if is_to_pause(trainer):
                raise Paused(f"paused after epoch {state.epoch} of {trainer.plan.epochs}")
            for values in train_epoch(trainer, guard, checkpoints, started):
                on_point(state, values)
            values = trainer.end_epoch()
            state.seconds = clock() - started
            if values:
                on_epoch(state, values | trainer.module_metrics)
            if checkpoints.due(at_epoch_end=True) or is_to_pause(trainer):
                trainer.save(checkpoints)
    except (NotFinite, NotFiniteOutputs):
        trainer.optimizer.release()  # the model gets its own tensors back, for a training from its first weights
        raise
    return trainer.finish(resumed_from, moments is not None)


def is_to_pause(trainer: Trainer) -> bool:
    """Is the training at the end of an epoch, not the last, and past the share of steps at which to pause?"""
    share, state, plan = trainer.recipe.pause_at, trainer.state, trainer.plan
    return share is not None and 0 < state.epoch < plan.epochs and state.batch == 0 and state.step >= share * plan.total


def restore_weights(
    model: nn.Module, hook: TrainingHook | None, checkpoints: Checkpoints
) -> tuple[dict[str, Tensor], JsonObject] | None:
    """Load the newest checkpoint's weights into the model and the hook's extra module; returns the whole checkpoint."""
    saved = checkpoints.newest()
    if saved:
        model.load_state_dict(with_prefix("model/", saved[0]), strict=True)
        if hook and hook.extra:
            hook.extra.load_state_dict(with_prefix("extra/", saved[0]))
    return saved


def train_epoch(
    trainer: Trainer, guard: NonFiniteGuard, checkpoints: Checkpoints, started: float
) -> Iterator[dict[str, float]]:
    """Train the rest of one epoch; yields the metrics of each logged point."""
    state, plan, clock = trainer.state, trainer.plan, trainer.exclusive.clock
    since, guard_memory = clock(), MemoryGuard()
    for rows in plan.batches(state.epoch)[state.batch :]:
        trainer.exclusive.yield_to_timing()
        norm = trainer.step(rows)
        guard_memory()
        state.batch += 1
        if trainer.skipped:
            guard.observe(trainer.skipped, state)
        is_evaluated = state.step in plan.evaluations_within
        is_logged = is_evaluated or state.step % plan.log_every == 0 or state.step == plan.total
        if is_logged and state.loss_rows:  # 0: all batches since the last point were skipped, and nothing has changed
            values = trainer.training_metrics(norm, clock() - since)
            if is_evaluated:
                values |= trainer.evaluate() | trainer.module_metrics
            state.seconds = clock() - started
            yield values
            since = clock()
        if checkpoints.due():
            state.seconds = clock() - started
            trainer.save(checkpoints)
