"""The progress of a training, its result, and the parts of it that a checkpoint holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from models.backbones.dropout import dropout_generator
from runner.training.schedule import is_better_epoch


class Stateful(Protocol):
    """A part of a training whose tensors are saved in checkpoints."""

    def state(self) -> dict[str, Tensor]:
        """Return the tensors to save, by name; {} if there is nothing to save yet."""
        ...

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a `state`."""
        ...


@dataclass
class TrainingState:
    """The progress of a training; together with the tensors this is the whole checkpoint."""

    epoch: int = 0  # the current epoch, from 0
    batch: int = 0  # the next batch within it
    step: int = 0  # steps of the plan done, including skipped batches
    examples: int = 0
    seconds: float = 0.0
    best_epoch: int = -1
    best_metric: float = math.nan
    best_loss: float = math.nan  # of the selection split, in the best epoch
    stale: int = 0  # evaluations since the best one
    loss_sum: float = 0.0  # since the last logged point
    loss_rows: int = 0
    schedule: dict[str, float | int] = field(default_factory=dict)
    left_out: int = 0  # batches skipped so far because their loss or gradient was not finite
    shrink: float = 1.0  # factor of the weight decay still to be applied to the untrained rows of the word table

    def is_over(self, patience: int | None) -> bool:
        """Has the selection metric not improved in `patience` evaluations? None: never stop early."""
        return patience is not None and self.stale >= patience


@dataclass
class TrainingResult:
    """The outcome of `fit`; the model passed to it now holds the kept weights."""

    seconds: float
    examples: int
    steps: int
    best_epoch: int  # from 1
    epochs: int
    best_metric: float  # of the selection split, in the best epoch; its weights are kept if train.keep_best
    resumed_from: int  # the step; 0: not resumed
    engine: dict[str, str]  # facts about how it was computed
    module_metrics: dict[str, float]  # of the kept model, see runner/training/gradient_norms.py
    moments: dict[str, Tensor]  # of the optimizer at the end, by parameter, if requested
    left_out: int  # batches skipped because their loss or gradient was not finite


class BestWeights:
    """Tracks the best epoch on the selection split, and holds its weights if train.keep_best is set."""

    def __init__(self, is_kept: bool, direction: str) -> None:
        """direction: "higher" or "lower", which way the selection metric improves."""
        self.is_kept, self.direction = is_kept, direction
        self.tensors: dict[str, Tensor] = {}

    def observe(
        self, metric: float, state: TrainingState, weights: Callable[[], dict[str, Tensor]], loss: float = math.nan
    ) -> None:
        """Compare the epoch that has just ended with the best one, see `is_better_epoch`; among equals the first wins.

        weights: makes a copy of the model's tensors. loss: of the selection split.
        """
        if not is_better_epoch((metric, loss), (state.best_metric, state.best_loss), self.direction):
            state.stale += 1
            return
        state.stale = 0
        state.best_metric, state.best_loss, state.best_epoch = metric, loss, state.epoch + 1
        if self.is_kept:
            self.tensors = weights()

    def put_into(self, model: nn.Module) -> None:
        """Load the best weights into the model; without any it stays as it is."""
        if self.is_kept and self.tensors:
            model.load_state_dict(self.tensors)

    def state(self) -> dict[str, Tensor]:
        """Return the best weights; {} if none are stored."""
        return self.tensors

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a `state`."""
        self.tensors = state


class RandomState:
    """The random generators that a training draws from: torch's on each device, and that of the dropout masks."""

    def state(self) -> dict[str, Tensor]:
        """Return the states of the generators."""
        found = {"cpu": torch.get_rng_state(), "masks": dropout_generator.state()}
        return found | ({"cuda": torch.cuda.get_rng_state()} if torch.cuda.is_initialized() else {})

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the generators to a `state`."""
        torch.set_rng_state(state["cpu"])
        dropout_generator.load(state["masks"])
        if "cuda" in state and torch.cuda.is_initialized():
            torch.cuda.set_rng_state(state["cuda"])
