"""The interface of a compression method: what a stage is, what it may use, and how it acts within training.

To add a method, write models/compression/<method>.py with a Stage of that name in CamelCase and, where it changes a
model's structure for good, a function `restore`; settings in models/compression/settings/; and one or more YAMLs
conf/compression/<name>.yaml. Parts of a method go to a folder beside it. Nothing here imports the runner: it passes a
StageContext.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from models.json_types import JsonObject

if TYPE_CHECKING:
    from models.compression.settings.stage import StageSettings

Inputs = dict[str, Tensor]  # arguments of a model's forward: input_ids, attention_mask, token_type_ids (B, T), places
Targets = dict[str, Tensor]  # arguments of the task's loss: labels


def zero_unless_finite(values: Tensor) -> Tensor:
    """Return the values that a batch adds to logged means: zeros if one of them is not finite."""
    return torch.where(values.isfinite().all(), values, 0.0)


class TrainingHook:
    """Actions of a stage inside the training loop; a method does nothing unless a stage overrides it."""

    extra: nn.Module | None = None  # trained beside the model and dropped afterwards, such as projections
    settled: int | None = None  # steps after which no more weights are removed; a score that falls later has diverged

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Before the optimizer is made: swap modules, add parameters (`own_lr` of a module is their own peak rate)."""

    def before_step(self, step: int) -> None:
        """Before the forward pass of optimizer step `step`, from 0."""

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The outputs (items, C) for the training rows `rows`; a stage may keep the states that its loss needs.

        During training, ids may be renumbered; StageContext.training_inputs has the tokenizer's.
        """
        return model(**inputs)

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The loss that is minimised, a scalar."""
        return task_loss

    def after_step(self, step: int) -> None:
        """After the optimizer step, or in its place if the batch was skipped because its loss was not finite."""

    def may_keep(self) -> bool:
        """May the present weights count as the best? A pruning says no until it has reached its final density."""
        return True

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that a checkpoint must hold beside those of the model and of `extra`."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""

    def end(self, model: nn.Module) -> None:
        """After the best weights are back in the model: fold masks, put plain modules back."""


@dataclass
class Phase:
    """The result of one training within a stage; the model holds the best weights."""

    metric: float  # on the selection split, the best; higher is better
    steps: int
    epochs: int
    seconds: float
    moments: dict[str, Tensor]  # the optimizer's at the end, by parameter, if `train` was given any


class TaskView(Protocol):
    """The task of a run, as far as a stage asks it. An output is (items, C): one item a row, or several, as with tags.

    Classes weigh the same in these losses, whatever data.class_weights says.
    """

    def loss(self, output: Tensor, targets: Targets) -> Tensor:
        """The task's loss, a scalar: the mean over the items."""
        ...

    def match(self, student: Tensor, teacher: Tensor, targets: Targets, *, soft: str, temperature: float) -> Tensor:
        """How far the student's outputs are from the teacher's, a scalar: the mean over the items.

        targets: of the batch, for tasks that compare items with those of their group, as spans and rankings do.
        soft: kl | cross_entropy, of probabilities softened by `temperature`; numbers are compared as numbers.
        """
        ...


class Teacher(Protocol):
    """A finished classifier of the same labels that beats the majority-class baseline."""

    score: float  # the primary metric on the selection split; higher is better
    rows_answered: int  # rows that the teacher had to compute; 0: all its logits came from the cache
    seconds: float  # that this took

    @property
    def network(self) -> nn.Module:
        """The model on the device, in prediction mode, its weights fixed; read from disk on first use."""
        ...


class Stopwatch(Protocol):
    """Measures how fast models are on this machine; available before anything is trained."""

    cache: Path  # shared by all runs
    machine: JsonObject  # what a time depends on: hardware, versions, threads

    def latency(self, model: nn.Module, *, batch: int = 1, length: int = 128) -> float:
        """Median milliseconds of one call, while nothing else of ours runs on this machine."""
        ...

    def times(
        self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float
    ) -> dict[str, list[float]]:
        """Median milliseconds of one call, for each model and round; the models take turns in every round.

        seconds: spent on each model, over all rounds.
        """
        ...

    def say(self, text: str) -> None:
        """Print one line for the user."""
        ...

    def locked(self, path: Path) -> AbstractContextManager[None]:
        """Lock a file of the cache against other processes for a block; creates its folder."""
        ...


class Statistics(Protocol):
    """Calculations on the answers to rows that a model was not trained on."""

    def temperature(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """The temperature of logits (N, C) for labels (N,); 1 where none can be fitted."""
        ...

    def last_certified(self, harms: np.ndarray, helps: np.ndarray, rows: int, at_most_loss: float, delta: float) -> int:
        """The last of ordered settings before the first whose loss of accuracy may be more; -1: there is none.

        harms, helps: (S,) rows, of `rows`, that a setting made wrong and right.
        """
        ...

    def net_loss_interval(self, harms: int, helps: int, rows: int, delta: float) -> tuple[float, float]:
        """The ends between which the loss of accuracy lies with probability 1 - delta."""
        ...


class StageContext(Stopwatch, Protocol):
    """Services of the runner for a stage: data, the training loop, timing, and the run's record."""

    seed: int
    device: torch.device
    task: TaskView
    lr: float  # the run's own peak learning rate
    statistics: Statistics

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in one pass over the training rows."""
        ...

    def train(
        self,
        model: nn.Module,
        hook: TrainingHook | None = None,
        *,
        phase: str,
        moments: dict[str, Tensor] | None = None,
        **changes: object,
    ) -> Phase:
        """Run the ordinary, resumable training loop; `phase` names it within the stage.

        moments: the optimizer's from an earlier phase, to continue with; new parameters start without. {}: start
        without any and return them; None: do not return them.
        changes: epochs, steps, batch_size, patience, keep_best, lr, weight_decay, schedule, warmup.
        """
        ...

    def score(self, model: nn.Module, *, rows: int | None = None) -> float:
        """The primary metric on the selection split; higher is better.

        rows: on a sample of so many of its source rows, the same one in every call.
        """
        ...

    def batches(
        self, *, rows: int | None = None, batch_size: int = 32, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Targets, np.ndarray]]:
        """Inputs, targets and row numbers of `rows` rows of a split: the first ones, or a sample drawn by `seed`.

        split: train | select | calibration, the rows set aside to calibrate on, or else those that select.
        """
        ...

    def training_inputs(self, rows: np.ndarray, given: Inputs) -> Inputs:
        """The inputs of these training rows, with the tokenizer's ids; given: as the training has them."""
        ...

    def teacher(self) -> Teacher:
        """The teacher that the stage's settings name."""
        ...

    def teacher_logits(self, rows: np.ndarray) -> Tensor:
        """The teacher's logits for these training rows, (items, C) float32 on the device, from the shared cache."""
        ...

    def teacher_vectors(self, rows: np.ndarray | None) -> Tensor:
        """The vectors of the teacher's readout for these training rows, (N, H) float32, from the shared cache.

        rows: None: of all.
        """
        ...

    def add_unlabelled(self) -> int:
        """Append the unlabelled texts of the stage's settings to its training rows; returns their number.

        They do not count in the task's loss.
        """
        ...

    def log_point(self, values: dict[str, float]) -> None:
        """Add a point to the run's curve."""
        ...

    def record_fact(self, name: str, value: str) -> None:
        """Record what the stage depends on beside its settings."""
        ...

    def add_metrics(self, values: dict[str, float]) -> None:
        """Add metrics to this stage's entry in the record."""
        ...

    def save_progress(self, model: nn.Module, state: JsonObject, tensors: dict[str, Tensor] | None = None) -> None:
        """Save the boundary between two phases, from which an interrupted run continues; `state` is JSON.

        tensors: saved beside the model's, under names that are not the model's.
        From here on, a continued run draws the same random numbers.
        """
        ...

    def load_progress(self) -> tuple[dict[str, Tensor], JsonObject] | None:
        """The tensors and the state of this stage's last `save_progress`; None if the stage starts."""
        ...


class Stage:
    """One stage of a compression chain: `run` takes a model and returns the compressed one."""

    def __init__(self, options: StageSettings, name: str = "") -> None:
        """name: of the stage in the chain, for messages."""
        self.options, self.name = options, name or options.method

    def check(self, model: nn.Module) -> None:
        """Raise ModelError if the stage cannot be applied to `model`; called before anything is trained."""

    def identity_contents(self, model: nn.Module) -> dict[str, str]:
        """Values, by settings key, that depend on `model` and belong to the run's identity."""
        return {}

    def check_teacher(self, model: nn.Module, teacher: Teacher) -> None:
        """Raise ModelError if `model` cannot learn from that teacher; called before anything is trained."""

    def check_rows(self, rows: int, why_not: str) -> None:
        """Raise ModelError if the rows that calibrate are not fit for the stage; called before anything is trained.

        rows: their number. why_not: why they must not calibrate; "" where they may.
        """

    def sketch(self, model: nn.Module) -> None:
        """Give an untrained model the layers that it will usually run after this stage; for plans."""

    def check_speed(self, model: nn.Module, stopwatch: Stopwatch) -> None:
        """Raise ModelError if the speed asked for is out of reach; called before anything is trained."""

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Compress the model. What only this stage knows of its structure goes to `architecture["compressed"]`."""
        raise NotImplementedError
