"""What a stage of a compression chain is, what it may use, and where it reaches into training.

To add a method: models/compression/<method>.py with a class of that name in CamelCase (a Stage) and, where it changes
a model's structure for good, a function `restore`; its settings in models/compression/settings/; and one or more YAMLs
conf/compression/<name>.yaml. What it is made of lies in a folder beside it. Nothing here knows the runner: it offers a
StageContext.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

Inputs = dict[str, Tensor]  # input_ids, attention_mask, token_type_ids, each (B, T); the last two where there are any


def counted(values: Tensor) -> Tensor:
    """The values that a batch adds to logged means: themselves, or zeros where not all of them are finite."""
    return torch.where(values.isfinite().all(), values, 0.0)


class TrainingHook:
    """What acts inside the training loop; every method does nothing unless a stage overrides it."""

    extra: nn.Module | None = None  # trained beside the model and dropped afterwards, such as projections
    settled: int | None = None  # steps after which nothing more is taken away; a score that falls then has diverged

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Before the optimizer is made: swap modules, add parameters (`own_lr` of a module is their own peak rate)."""

    def before_step(self, step: int) -> None:
        """Before the forward pass of optimizer step `step`, from 0."""

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The logits (B, C) of the training rows `rows`; here a stage keeps the states its loss needs.

        The ids may be rearranged for the time of training: whoever needs the tokenizer's asks the context.
        """
        return model(**inputs)

    def loss(self, task_loss: Tensor, logits: Tensor, labels: Tensor, rows: np.ndarray) -> Tensor:
        """What is minimised, a scalar."""
        return task_loss

    def after_step(self, step: int) -> None:
        """After the optimizer step, or in its place where the batch was left out, its loss or gradient not finite."""

    def may_keep(self) -> bool:
        """May the weights as they stand count as the best? A pruning says no until it has its final density."""
        return True

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must hold beyond the tensors of the model and of `extra`."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Put a `state` back."""

    def end(self, model: nn.Module) -> None:
        """After the best weights are back in the model: fold masks, put plain modules in their places."""


@dataclass
class Phase:
    """What one training within a stage came to; the model holds the kept weights."""

    metric: float  # of the selection split, the best kept; higher is better
    steps: int
    epochs: int
    seconds: float
    moments: dict[str, Tensor]  # the optimizer's at the end, by parameter, if the phase was given any


class Teacher(Protocol):
    """A finished classifier of the same tokens and labels, better than the commonest label."""

    score: float  # the primary metric on the selection split; higher is better
    rows_answered: int  # by running it, for answers that were not kept; 0: all were
    seconds: float  # that took

    @property
    def network(self) -> nn.Module:
        """It itself, on the device, predicting, its weights fixed; read from disk when first asked for."""
        ...


class Stopwatch(Protocol):
    """How fast models are on this machine; there is one before anything is trained."""

    cache: Path  # shared by all runs
    machine: dict[str, Any]  # what a time depends on: hardware, versions, threads

    def latency(self, model: nn.Module, *, batch: int = 1, length: int = 128) -> float:
        """Median milliseconds of one call, taken alone on this machine."""
        ...

    def times(
        self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float
    ) -> dict[str, list[float]]:
        """Median milliseconds of one call of each model in each round, in which they take turns.

        seconds: for each model, over all rounds.
        """
        ...

    def say(self, text: str) -> None:
        """One line for the user."""
        ...

    def locked(self, path: Path) -> AbstractContextManager[None]:
        """Hold a file of the cache for a block, so that no other process writes it; its folder is made."""
        ...


class StageContext(Stopwatch, Protocol):
    """What the runner offers a stage: data, the training loop, the clock, and a place to log to."""

    seed: int
    device: torch.device
    kind: str  # classification | regression
    num_labels: int
    scale: float  # of a regression: what differences of targets are divided by in losses
    lr: float  # the run's own peak learning rate

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps that one pass over the training rows takes."""
        ...

    def train(
        self,
        model: nn.Module,
        hook: TrainingHook | None = None,
        *,
        phase: str,
        moments: dict[str, Tensor] | None = None,
        **changes: Any,
    ) -> Phase:
        """The ordinary, resumable training loop; `phase` names it within the stage.

        moments: an earlier phase's, to go on with; what is new since begins without. {}: none, but answer this one's.
        changes: epochs, steps, batch_size, patience, keep_best, lr, weight_decay, schedule, warmup.
        """
        ...

    def score(self, model: nn.Module) -> float:
        """The primary metric on the selection split; higher is better."""
        ...

    def batches(
        self, *, rows: int | None = None, batch_size: int = 32, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Tensor, np.ndarray]]:
        """Inputs, labels and row numbers of a split's first `rows` rows, or of as many drawn by `seed`."""
        ...

    def training_inputs(self, rows: np.ndarray) -> Inputs:
        """The training rows `rows`, with the tokenizer's ids."""
        ...

    def teacher(self) -> Teacher:
        """The one that the stage's settings name."""
        ...

    def teacher_logits(self) -> np.ndarray:
        """Its logits of all training rows, (rows, C) float32, kept in the shared cache."""
        ...

    def add_unlabelled(self) -> int:
        """Put texts that the stage's settings name, or ask for, behind its training rows; answers how many they are.

        They have no part in the task's loss.
        """
        ...

    def log_point(self, values: dict[str, float]) -> None:
        """One point of the run's curve."""
        ...

    def record_fact(self, name: str, value: str) -> None:
        """Enter into the record what the stage depends on beside its settings."""
        ...

    def add_metrics(self, values: dict[str, float]) -> None:
        """Metrics of this stage's entry in the record."""
        ...

    def save_progress(self, model: nn.Module, state: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> None:
        """Remember a boundary between two phases, for a run that is interrupted later; `state` is JSON.

        tensors: what there is beside the model's, under names that are not the model's.
        What is drawn at random from here on is the same in a run that goes on from it.
        """
        ...

    def load_progress(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The tensors and the state of the newest `keep` of this stage, if the run was interrupted after it."""
        ...


class Stage:
    """One stage: `run` takes a model and answers the one that goes on."""

    def __init__(self, options: Any, name: str = "") -> None:
        self.options, self.name = options, name or options.method  # name: of the stage in the chain, for messages

    def check(self, model: nn.Module) -> None:
        """Raise ModelError where this cannot be done to `model`: asked before anything is trained."""

    def identity_contents(self, model: nn.Module) -> dict[str, str]:
        """Content of settings that `model` gives a meaning, by their keys, where it is to be part of the identity."""
        return {}

    def check_teacher(self, model: nn.Module, teacher: Teacher) -> None:
        """Raise ModelError where `model` cannot learn from that teacher; asked at the same time."""

    def check_speed(self, model: nn.Module, stopwatch: Stopwatch) -> None:
        """Raise ModelError where it cannot be made as fast as asked; asked at the same time."""

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Do all of it. What training cannot rebuild from the settings goes to `architecture["compressed"]`."""
        raise NotImplementedError
