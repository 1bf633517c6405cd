"""The interface of a compression method: the stage, the services it may use, and its hooks into the training loop.

To add a method, write models/compression/<method>.py with a Stage class of that name in CamelCase and, if it
permanently changes a model's structure, a function `restore`. Add its settings to models/compression/settings/, and
one or more files conf/compression/<name>.yaml. Helper modules go to a folder next to it. Nothing here imports the
runner, which passes in a StageContext.
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
    """The values that a batch adds to logged means, or zeros if any of them is not finite."""
    return torch.where(values.isfinite().all(), values, 0.0)


class TrainingHook:
    """Hooks of a stage in the training loop; by default they change nothing."""

    extra: nn.Module | None = None  # trained along with the model and dropped afterwards, such as projections
    soft: str = "kl"  # how its loss compares outputs with a teacher's, see TaskView.match
    matched: float = 1.0  # the factor of that term in this part of a batch (train.accumulate), set before `loss`
    settled: int | None = None  # step from which no more weights are removed; a later drop in score means divergence

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Before the optimizer is made: swap modules, add parameters. A module's `own_lr` is its peak learning rate."""

    def before_step(self, step: int) -> None:
        """Before the forward pass of optimizer step `step`, from 0."""

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The outputs (items, C) for the training rows `rows`; a stage may store the states that its loss needs.

        Token ids may be renumbered during training; StageContext.training_inputs returns the tokenizer's ids.
        """
        return model(**inputs)

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The loss to minimise, a scalar."""
        return task_loss

    def after_step(self, step: int) -> None:
        """After the optimizer step, or instead of it if the batch was skipped because its loss was not finite."""

    def may_keep(self) -> bool:
        """May the current weights be kept as the best? Pruning says no until it reaches its final density."""
        return True

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """Tensors that a checkpoint must hold in addition to those of the model and of `extra`."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""

    def end(self, model: nn.Module) -> None:
        """After the best weights are restored: fold masks, put plain modules back."""


@dataclass
class Phase:
    """The result of one training within a stage; the model holds the best weights."""

    metric: float  # the best on the selection split; higher is better
    steps: int
    epochs: int
    seconds: float
    moments: dict[str, Tensor]  # the optimizer's final moments by parameter; {} if `train` was given moments=None


class TaskView(Protocol):
    """The parts of a run's task that a stage may use. An output is (items, C), with one or more items per row (tags).

    These losses weight all classes equally, whatever data.class_weights says.
    """

    def loss(self, output: Tensor, targets: Targets) -> Tensor:
        """The task's loss, a scalar: the mean over the items."""
        ...

    def match(self, student: Tensor, teacher: Tensor, targets: Targets, *, soft: str, temperature: float) -> Tensor:
        """The distance of the student's outputs from the teacher's, a scalar: the mean over the items.

        targets: of the batch, for tasks that compare items within their group, such as spans and rankings.
        soft: kl | cross_entropy, with probabilities softened by `temperature` | margin_mse (ranking); regression: MSE.
        """
        ...


class Teacher(Protocol):
    """A trained classifier with the same labels that beats the majority-class baseline."""

    score: float  # the primary metric on the selection split; higher is better
    rows_answered: int  # rows that the teacher had to compute; 0 if all logits came from the cache
    seconds: float  # time spent computing them

    @property
    def network(self) -> nn.Module:
        """The model on the device, in eval mode with frozen weights; read from disk on first use."""
        ...


class Stopwatch(Protocol):
    """Measures models' speed on this machine; available before anything is trained."""

    cache: Path  # shared by all runs
    machine: JsonObject  # what a time depends on: hardware, versions, threads

    def latency(self, model: nn.Module, *, batch: int = 1, length: int = 128) -> float:
        """Median milliseconds of one call, while no other process of ours runs on this machine."""
        ...

    def times(
        self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float
    ) -> dict[str, list[float]]:
        """Median milliseconds of one call, for each model and round; the models take turns in every round.

        seconds: total time for each model, over all rounds.
        """
        ...

    def say(self, text: str) -> None:
        """Print one line for the user."""
        ...

    def locked(self, path: Path) -> AbstractContextManager[None]:
        """Lock a cache file against other processes within the block; creates its folder."""
        ...


class Statistics(Protocol):
    """Statistics on answers to rows that a model was not trained on."""

    def temperature(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """The temperature of logits (N, C) for labels (N,); 1 if none can be fitted."""
        ...

    def last_certified(self, harms: np.ndarray, helps: np.ndarray, rows: int, at_most_loss: float, delta: float) -> int:
        """Index of the last of S ordered settings before the first whose accuracy loss may exceed the limit, or -1.

        harms, helps: (S,) how many of `rows` each setting makes wrong, and makes right.
        """
        ...

    def net_loss_interval(self, harms: int, helps: int, rows: int, delta: float) -> tuple[float, float]:
        """The 1 - delta confidence interval of the loss of accuracy."""
        ...


class StageContext(Stopwatch, Protocol):
    """Services of the runner for a stage: data, the training loop, timing, and the run's record."""

    seed: int
    device: torch.device
    task: TaskView
    lr: float  # the run's peak learning rate
    statistics: Statistics

    def train(
        self,
        model: nn.Module,
        hook: TrainingHook | None = None,
        *,
        phase: str,
        moments: dict[str, Tensor] | None = None,
        **changes: object,
    ) -> Phase:
        """Run the usual, resumable training loop; `phase` names it within the stage.

        moments: optimizer moments from an earlier phase to continue with; new parameters start without. {}: start
        without any, but return them. None: do not return them.
        changes: epochs, steps, batch_size, patience, keep_best, average, lr, weight_decay, schedule, warmup. A stage
        whose buffers change with the steps, such as masks, passes average=1, as a mean would mix their states.
        """
        ...

    def score(self, model: nn.Module, *, rows: int | None = None) -> float:
        """The primary metric on the selection split; higher is better.

        rows: use a sample of this many of its source rows, the same one in every call.
        """
        ...

    def batches(
        self, *, rows: int | None = None, batch_size: int = 32, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Targets, np.ndarray]]:
        """Inputs, targets and row numbers of `rows` rows of a split: the first ones, or a sample drawn by `seed`.

        split: train, the rows of a query together | select | calibration: rows set aside for it, or else `select`.
        """
        ...

    def training_inputs(self, rows: np.ndarray, given: Inputs) -> Inputs:
        """The inputs of these training rows with the tokenizer's ids; given: the inputs that training uses."""
        ...

    def teacher(self) -> Teacher:
        """The teacher that the stage's settings name."""
        ...

    def teacher_logits(self, rows: np.ndarray) -> Tensor:
        """The teacher's logits for these training rows, (items, C) float32 on the device, from the shared cache."""
        ...

    def teacher_vectors(self, rows: np.ndarray | None) -> Tensor:
        """The outputs of the teacher's readout for these training rows, (N, H) float32, from the shared cache.

        rows: None: all.
        """
        ...

    def add_unlabelled(self) -> int:
        """Append the settings' unlabelled texts to the training rows, without labels, and return their number."""
        ...

    def log_point(self, values: dict[str, float]) -> None:
        """Add a point to the run's curve."""
        ...

    def record_fact(self, name: str, value: str) -> None:
        """Record something that the stage depends on in addition to its settings."""
        ...

    def add_metrics(self, values: dict[str, float]) -> None:
        """Add metrics to this stage's entry in the record."""
        ...

    def save_progress(self, model: nn.Module, state: JsonObject, tensors: dict[str, Tensor] | None = None) -> None:
        """Save progress between two phases, so that an interrupted run can resume here; `state` is JSON.

        tensors: saved with the model's tensors, under names that the model does not use.
        A resumed run draws the same random numbers from here on.
        """
        ...

    def load_progress(self) -> tuple[dict[str, Tensor], JsonObject] | None:
        """The tensors and the state of this stage's last `save_progress`; None if there was none."""
        ...


class Stage:
    """One stage of a compression chain: `run` takes a model and returns the compressed one."""

    def __init__(self, options: StageSettings, name: str = "") -> None:
        """name: the stage's name in the chain, for messages."""
        self.options, self.name = options, name or options.method

    def check(self, model: nn.Module) -> None:
        """Raise ModelError if the stage cannot be applied to `model`; called before anything is trained."""

    def identity_contents(self, model: nn.Module) -> dict[str, str]:
        """Values, by settings key, that depend on `model` and belong to the run's identity."""
        return {}

    def check_teacher(self, model: nn.Module, teacher: Teacher) -> None:
        """Raise ModelError if `model` cannot learn from the teacher; called before anything is trained."""

    def check_rows(self, rows: int, why_not: str) -> None:
        """Raise ModelError if the stage cannot use the calibration rows; called before anything is trained.

        rows: their number. why_not: why they must not be used for calibration; "" if they may be.
        """

    def sketch(self, model: nn.Module) -> None:
        """Make an untrained model run the layers that it will typically run after this stage; used for plans."""

    def check_speed(self, model: nn.Module, stopwatch: Stopwatch) -> None:
        """Raise ModelError if the target speed is out of reach; called before anything is trained."""

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Compress the model; record what is needed to restore its structure in `architecture["compressed"]`."""
        raise NotImplementedError
