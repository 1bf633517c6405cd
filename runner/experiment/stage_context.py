"""What the runner offers a compression stage: the training loop, the data, the clock and a place to log to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from data.batch import collate
from data.sampler import eval_batches
from data.splits import TokenSplit
from data.unlabelled import append_unlabelled
from models.backbones.dropout import dropout_generator
from models.compression.pruning.masks import keep_pruned_zeros
from models.compression.stage import Inputs, Phase, TrainingHook
from runner.experiment.recipe import recipe_of
from runner.experiment.results import fate
from runner.experiment.stage_inputs import KeptTeacher, Outside
from runner.experiment.stopwatch import Stopwatch
from runner.machine import exclusive as turns
from runner.record.metrics import direction
from runner.record.raw import NOT_FINITE, Record
from runner.schema import OptimizerSettings, ScheduleSettings, TrainSettings
from runner.training.checkpoint import BOUNDARIES, Checkpoints
from runner.training.inference import predict, score, to_tensors
from runner.training.loop import fit
from runner.training.plan import BatchPlan
from runner.training.recipe import TrainingRecipe
from runner.training.state import TrainingResult, TrainingState

if TYPE_CHECKING:
    from runner.experiment.prepare import Started
    from runner.experiment.progress import Terminal
    from runner.track.mirror import Mirror

# What a phase may change, by the names that a stage calls it.
OTHERWISE = {"schedule": ("schedule", "name"), "warmup": ("schedule", "warmup")}
BATCH = 32  # rows statistics are computed on at once


class RunStageContext(Stopwatch):
    """The StageContext of one stage of one run; see models/compression/stage.py for what each part means."""

    def __init__(self, started: Started, record: Record, terminal: Terminal, mirror: Mirror | None, stage: str) -> None:
        """stage: the place and the name of the stage in the chain, such as `2-distil`."""
        self.started, self.record, self.mirror, self.stage = started, record, mirror, stage
        settings, splits = started.settings, started.splits
        super().__init__(settings, splits, started.device, terminal)
        self.outside = started.outside.get(stage.partition("-")[2], Outside())
        self.seed, self.lr = settings.seed, settings.optimizer.lr
        self.kind, self.num_labels, self.scale = splits.task.kind, splits.task.num_labels, splits.task.scale
        self.primary = f"{splits.select.name}/{splits.task.metrics[0]}"
        self.sign = -1.0 if direction(self.primary) == "lower" else 1.0
        self.boundaries = Checkpoints(started.folder, self._name("kept"), 0.0, BOUNDARIES)
        self.texts: list[TokenSplit] = []  # without labels, which have joined the training rows
        self.facts: dict[str, float] = {}  # what the stage adds to its entry

    @property
    def steps_per_epoch(self) -> int:
        """Unlabelled rows included."""
        once = replace(self.settings.train, epochs=1.0)
        return BatchPlan(self.splits.train.lengths, once, self.settings.seed).total

    def _name(self, phase: str) -> str:
        """What a checkpoint of a phase is known by, so that none is ever taken for another's."""
        return f"{self.started.identity}/{self.stage}/{phase}"

    def draw_from(self, moment: str) -> None:
        """Seed what is drawn from here on by the run's seed and a name, so that a run that goes on draws the same."""
        digest = hashlib.sha256(f"{self.seed}/{self.stage}/{moment}".encode()).digest()
        seed = int.from_bytes(digest[:6], "big")
        torch.manual_seed(seed)
        dropout_generator.seed(seed)

    def train(
        self,
        model: nn.Module,
        hook: TrainingHook | None = None,
        *,
        phase: str,
        moments: dict[str, Tensor] | None = None,
        **changes: Any,
    ) -> Phase:
        """Raises NotFinite, and TypeError for a change that is none."""
        recipe = changed(recipe_of(self.settings), changes)
        self.draw_from(phase)
        checkpoints = Checkpoints(self.started.folder, self._name(phase), self.settings.checkpoint.every_s)
        begun = self.record.content["steps"]
        with keep_pruned_zeros(model):
            trained = train(self, model, recipe, checkpoints, hook, moments=moments)
        if hook and hook.settled is not None:
            self.add_metrics(fate(self.started, begun, hook.settled))
        self.record.content["steps"] += trained.steps
        before = self.record.content["metrics"]
        spent = {"time/train_s": trained.seconds, "train/left_out": trained.left_out}
        self.record.add({name: before.get(name, 0) + value for name, value in spent.items()})
        self.record.add({"train/steps": self.record.content["steps"]})
        metric = self.sign * trained.best_metric
        return Phase(metric, trained.steps, trained.epochs, trained.seconds, trained.moments)

    def score(self, model: nn.Module) -> float:
        """One pass over the selection split."""
        settings = self.settings.train
        logits = predict(
            model, self.splits.select, pad_id=self.splits.tokenizer.pad_id, batch_size=settings.eval_batch_size,
            device=self.device, precision=settings.precision,
        )  # fmt: skip
        return self.sign * score(self.splits.task, self.splits.select, logits)[self.primary]

    def batches(
        self, *, rows: int | None = None, batch_size: int = BATCH, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Tensor, np.ndarray]]:
        """Sorted by length, so that little is padded; split: train | select."""
        chosen = self.splits.train if split == "train" else self.splits.select
        count = min(rows or len(chosen), len(chosen))
        numbers = np.arange(count)
        if seed is not None:
            numbers = np.sort(np.random.default_rng(seed).permutation(len(chosen))[:count])
        for places in eval_batches(chosen.lengths[numbers], batch_size=batch_size):
            turns.give_way()
            yield (*self._batch(chosen, numbers[places]), numbers[places])

    def training_inputs(self, rows: np.ndarray) -> Inputs:
        """Padded to the longest of them."""
        return self._batch(self.splits.train, rows)[0]

    def _batch(self, split: TokenSplit, rows: np.ndarray) -> tuple[Inputs, Tensor]:
        batch = collate(split, rows, self.splits.tokenizer.pad_id)
        return to_tensors(batch, self.device), torch.from_numpy(batch.labels).to(self.device)

    def teacher(self) -> KeptTeacher:
        """Checked before the run began."""
        assert self.outside.teacher is not None, "a stage that needs a teacher has one"
        return self.outside.teacher

    def teacher_logits(self) -> np.ndarray:
        """Kept for training rows and unlabelled texts apart, so that runs with and without the latter share them."""
        return np.concatenate([self.teacher().answers(part) for part in (self.started.splits.train, *self.texts)])

    def add_unlabelled(self) -> int:
        """Of this stage only: what comes after it trains on the labelled rows again."""
        self.texts = self.outside.texts(self.started.splits.train)
        for extra in self.texts:
            self.splits = replace(self.splits, train=append_unlabelled(self.splits.train, extra))
        return sum(map(len, self.texts))

    def log_point(self, values: dict[str, float]) -> None:
        """At the step that the run's trainings have come to; once, though a phase that goes on is prepared again."""
        self.record.mark(self.record.content["steps"], values)

    def record_fact(self, name: str, value: str) -> None:
        """Among the facts of the engine."""
        self.record.content["environment"]["engine"][name] = value

    def add_metrics(self, values: dict[str, float]) -> None:
        """Later values of the same name replace earlier ones."""
        self.facts |= values

    def save_progress(self, model: nn.Module, state: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> None:
        """With the number of steps so far, which the next phase's points are counted from."""
        steps, spent = self.record.content["steps"], self.record.content["metrics"].get("time/train_s", 0.0)
        held = dict(model.state_dict()) | (tensors or {})
        self.boundaries.save(held, {"step": steps, "train_s": spent, "facts": self.facts, "stage": state})
        self.draw_from(f"after step {steps}")

    def load_progress(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """None where the stage begins."""
        found = self.boundaries.newest()
        if found is None:
            return None
        tensors, state = found
        self.record.content["steps"], self.facts = state["step"], state["facts"]
        self.record.add({"time/train_s": state["train_s"], "train/steps": state["step"]})
        self.draw_from(f"after step {state['step']}")
        return tensors, state["stage"]


def changed(recipe: TrainingRecipe, changes: dict[str, Any]) -> TrainingRecipe:
    """The recipe of a phase; TypeError for a name that no group has, None leaves a setting as it is."""
    groups = {"train": TrainSettings, "optimizer": OptimizerSettings, "schedule": ScheduleSettings}
    found: dict[str, dict[str, Any]] = {group: {} for group in groups}
    for name, value in changes.items():
        owner = (group for group, kind in groups.items() if name in {f.name for f in fields(kind)} - {"name"})
        group, key = OTHERWISE.get(name) or (next(owner, ""), name)
        if not group:
            raise TypeError(f"a phase of training has no setting {name!r}")
        if value is not None:
            found[group][key] = value
    return replace(
        recipe,
        train=replace(recipe.train, **found["train"]),
        optimizer=replace(recipe.optimizer, **found["optimizer"]),
        schedule=replace(recipe.schedule, **found["schedule"]),
    )


def train(
    context: RunStageContext,
    model: nn.Module,
    recipe: TrainingRecipe,
    checkpoints: Checkpoints,
    hook: TrainingHook | None = None,
    splits: Any = None,
    watch: Any = None,
    moments: dict[str, Tensor] | None = None,
) -> TrainingResult:
    """One training as the run's log and terminal see it; its steps count on from those of the run before it."""
    record, terminal, before = context.record, context.terminal, context.record.content["steps"]
    splits = splits or context.splits
    terminal.train(BatchPlan(splits.train.lengths, recipe.train, recipe.seed).total)

    def on_point(position: TrainingState, values: dict[str, float]) -> None:
        record.point(before + position.step, values)
        terminal.point(position, values)

    def on_epoch(position: TrainingState, values: dict[str, float]) -> None:
        record.point(before + position.step, values)
        terminal.epoch(position, values)
        if context.mirror:
            context.mirror.request(context.started.folder)
        if watch and position.epoch < recipe.train.epochs:
            watch(position.epoch, values[context.primary])

    trained = fit(
        model, splits, recipe, device=context.device, checkpoints=checkpoints, on_point=on_point, on_epoch=on_epoch,
        hook=hook, moments=moments,
    )  # fmt: skip
    if trained.left_out:
        where = f"{record.folder.name}/{NOT_FINITE}"
        note = f"{trained.left_out} of {trained.steps} batches left out, not finite; their rows are in {where}"
        record.content["notes"].append(note)
        terminal.say(f"note: {note}")
    return trained
