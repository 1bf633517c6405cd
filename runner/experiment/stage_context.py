"""The StageContext of a run: it gives a compression stage the training loop, the data, a stopwatch and a log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from data.batch import collate
from data.json_types import JsonObject
from data.splits import Splits, TokenSplit
from data.unlabelled import append_unlabelled
from models.backbones.dropout import dropout_generator
from models.compression.pruning.masks import keep_pruned_zeros
from models.compression.stage import Inputs, Phase, Statistics, Targets, TaskView, TrainingHook
from runner.experiment.context import RunMirror
from runner.experiment.divergence import detect_divergence
from runner.experiment.prepared import PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.recipe import phase_recipe, recipe_of
from runner.experiment.stage_inputs import StageInputs
from runner.experiment.stage_rows import stage_batches
from runner.experiment.stage_statistics import StageStatistics
from runner.experiment.stage_task import StageTask
from runner.experiment.stopwatch import Stopwatch
from runner.experiment.teacher import KeptTeacher
from runner.record.folder import NOT_FINITE
from runner.record.metrics import direction
from runner.record.writer import RecordWriter
from runner.tasks.base import Task
from runner.training.checkpoint import BOUNDARIES, Checkpoints
from runner.training.inference import predict, score, targets_to_tensors, to_tensors
from runner.training.loop import fit
from runner.training.plan import BatchPlan
from runner.training.recipe import TrainingRecipe
from runner.training.state import TrainingResult, TrainingState
from runner.tune.trial_pruning import Watch

BATCH = 32  # rows of a batch that statistics are computed on


class RunStageContext(Stopwatch):
    """The StageContext of one stage of one run; models/compression/stage.py explains each of its parts."""

    def __init__(
        self, prepared: PreparedRun, writer: RecordWriter, terminal: Terminal, mirror: RunMirror | None, stage: str
    ) -> None:
        """stage: the position and the name of the stage in the chain, such as `2-distil`."""
        self.prepared, self.writer, self.terminal = prepared, writer, terminal
        self.mirror, self.stage = mirror, stage
        settings, splits = prepared.settings, prepared.splits
        super().__init__(settings, splits, prepared.device, terminal.say, prepared.exclusive)
        self.stage_inputs = prepared.stage_inputs.get(stage.partition("-")[2], StageInputs())
        self.seed, self.lr = settings.seed, settings.optimizer.lr
        self.task: TaskView = StageTask(prepared.task)
        self.statistics: Statistics = StageStatistics()
        self.primary = f"{splits.select.name}/{prepared.task.metrics[0]}"
        self.sign = -1.0 if direction(self.primary) == "lower" else 1.0
        self.boundaries = Checkpoints(prepared.folder, self._checkpoint_name("kept"), 0.0, BOUNDARIES)
        self.texts: list[TokenSplit] = []  # without labels, added to the training rows
        self._teacher_logits: Tensor | None = None  # of all training rows
        self._teacher_vectors: Tensor | None = None
        self._samples: dict[int, TokenSplit] = {}  # of the selection split, by their source rows
        self.metrics: dict[str, float] = {}  # metrics that the stage adds to its entry in the record

    def _checkpoint_name(self, phase: str) -> str:
        """Return the owner written into a checkpoint of a phase, so that no other phase takes it for its own."""
        return f"{self.prepared.identity}/{self.stage}/{phase}"

    def draw_from(self, moment: str) -> None:
        """Seed the random numbers from here on by the run's seed and a name, so that a resumed run draws the same."""
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
        **changes: object,
    ) -> Phase:
        """Train one phase; raises NotFinite, and TypeError for a change of a setting that does not exist."""
        recipe = phase_recipe(recipe_of(self.settings), changes)
        with keep_pruned_zeros(model):
            return self.train_by(recipe, model, hook, phase=phase, moments=moments)

    def train_by(
        self,
        recipe: TrainingRecipe,
        model: nn.Module,
        hook: TrainingHook | None = None,
        *,
        phase: str,
        moments: dict[str, Tensor] | None = None,
        splits: Splits | None = None,
        task: Task | None = None,
    ) -> Phase:
        """Train one phase by a recipe; splits, task: others than the run's own, whose scores are better higher."""
        self.draw_from(phase)
        checkpoints = Checkpoints(self.prepared.folder, self._checkpoint_name(phase), self.settings.checkpoint.every_s)
        before = self.writer.record
        trained = self.fit(model, recipe, checkpoints, hook=hook, splits=splits, moments=moments, task=task)
        if hook and hook.settled is not None:
            self.add_metrics(detect_divergence(self.prepared, before.steps, hook.settled))
        self.writer.set_steps(before.steps + trained.steps)
        spent = {"time/train_s": trained.seconds, "train/left_out": trained.left_out}
        self.writer.add_metrics({name: before.metrics.get(name, 0) + value for name, value in spent.items()})
        self.writer.add_metrics({"train/steps": before.steps + trained.steps})
        metric = (1.0 if task else self.sign) * trained.best_metric
        return Phase(metric, trained.steps, trained.epochs, trained.seconds, trained.moments)

    def fit(
        self,
        model: nn.Module,
        recipe: TrainingRecipe,
        checkpoints: Checkpoints,
        *,
        hook: TrainingHook | None = None,
        splits: Splits | None = None,
        watch: Watch | None = None,
        moments: dict[str, Tensor] | None = None,
        task: Task | None = None,
    ) -> TrainingResult:
        """Train the model with its points in the record and on the terminal; steps count on from earlier trainings."""
        writer, terminal, before = self.writer, self.terminal, self.writer.record.steps
        splits = splits or self.splits
        terminal.begin_training(BatchPlan(splits.train.lengths, recipe.train, recipe.seed, splits.train.units).total)

        def on_point(state: TrainingState, values: dict[str, float]) -> None:
            writer.point(before + state.step, values)
            terminal.point(state.step, state.epoch, values["train/loss"], values["train/examples_per_s"])

        def on_epoch(state: TrainingState, values: dict[str, float]) -> None:
            writer.point(before + state.step, values)
            is_best = state.best_epoch == state.epoch
            terminal.epoch(state.step, state.epoch, values, seconds=state.seconds, is_best=is_best)
            if self.mirror:
                self.mirror.request(self.prepared.folder)
            if watch and state.epoch < recipe.train.epochs:
                watch(state.epoch, values[self.primary])

        trained = fit(
            model, splits, task or self.prepared.task, recipe, device=self.device, checkpoints=checkpoints,
            on_point=on_point, on_epoch=on_epoch, hook=hook, moments=moments, exclusive=self.exclusive,
        )  # fmt: skip
        if trained.left_out:
            where = f"{writer.folder.name}/{NOT_FINITE}"
            note = (
                f"{trained.left_out} of {trained.steps} batches left out because not finite; their rows are in {where}"
            )
            writer.add_notes([note])
            terminal.say(f"note: {note}")
        return trained

    def score(self, model: nn.Module, *, rows: int | None = None) -> float:
        """Return the primary metric on the selection split, or on `rows` of it, signed so that higher is better."""
        settings, select = self.settings.train, self._selected(rows)
        logits = predict(
            model, select, batch_size=settings.eval_batch_size,
            device=self.device, precision=settings.precision, exclusive=self.exclusive,
            task=self.prepared.task,
        )  # fmt: skip
        return self.sign * score(self.prepared.task, select, logits)[self.primary]

    def _selected(self, rows: int | None) -> TokenSplit:
        """Return the selection split, or a sample of its rows (for a ranking the first ones, as whole queries)."""
        select = self.splits.select
        if rows is None or rows >= select.source_count:
            return select
        if rows not in self._samples:
            if select.units is not None:
                chosen = select.units.first(rows)
            else:
                chosen = np.sort(np.random.default_rng(self.seed).permutation(select.source_count)[:rows])
            self._samples[rows] = select.take_sources(chosen)
        return self._samples[rows]

    def batches(
        self, *, rows: int | None = None, batch_size: int = BATCH, split: str = "train", seed: int | None = None
    ) -> Iterator[tuple[Inputs, Targets, np.ndarray]]:
        """Batches of rows of about equal length, training rows in whole groups; split: train | select | calibration."""
        splits = self.splits
        chosen = {"train": splits.train, "select": splits.select, "calibration": splits.calibration}[split]
        in_groups = split == "train"  # losses are of training rows; in other splits queries may have no group at all
        for numbers in stage_batches(chosen, rows=rows, batch_size=batch_size, seed=seed, in_groups=in_groups):
            self.exclusive.yield_to_timing()
            yield (*self._batch(chosen, numbers), numbers)

    def training_inputs(self, rows: np.ndarray, given: Inputs) -> Inputs:
        """Return the inputs of training rows, padded to the longest of them, with the tokenizer's ids."""
        if self.splits.train.augment is not None:  # varied texts: not renumbered, and different in every epoch
            return given
        return self._batch(self.splits.train, rows)[0]

    def _batch(self, split: TokenSplit, rows: np.ndarray) -> tuple[Inputs, Targets]:
        batch = collate(split, rows)
        return to_tensors(batch, self.device), targets_to_tensors(batch, self.device)

    def teacher(self) -> KeptTeacher:
        """Return the teacher of this stage, which was checked before the run began."""
        assert self.stage_inputs.teacher is not None, "a stage that needs a teacher has one"
        return self.stage_inputs.teacher

    def teacher_logits(self, rows: np.ndarray) -> Tensor:
        """Return the teacher's logits for training rows; labelled and unlabelled ones are cached separately."""
        labels = self.splits.train.labels
        if self._teacher_logits is None:
            parts = (self.prepared.splits.train, *self.texts)
            self._teacher_logits = self._of_items(np.concatenate([self.teacher().item_logits(part) for part in parts]))
        items = labels.of(rows)
        items = items if labels.has_output is None else items[labels.has_output[items]]
        return self._teacher_logits[torch.from_numpy(items).to(self.device)]

    def teacher_vectors(self, rows: np.ndarray | None) -> Tensor:
        """Return the vectors of the teacher's readout for training rows, (N, H); rows: None: of all."""
        if self._teacher_vectors is None:
            parts = (self.prepared.splits.train, *self.texts)
            found = np.concatenate([self.teacher().vectors(part) for part in parts])
            self._teacher_vectors = torch.from_numpy(found).to(self.device)
        if rows is None:
            return self._teacher_vectors
        return self._teacher_vectors[torch.from_numpy(rows).to(self.device)]

    def learn_with(self, answers: np.ndarray, texts: TokenSplit | None) -> None:
        """Learn from a teacher that is no finished model.

        answers: its logits for the training rows and then for those of `texts`, which join them without labels, (rows,
        C).
        """
        self._teacher_logits = torch.from_numpy(answers).to(self.device)
        if texts is not None:
            self.splits = replace(self.splits, train=append_unlabelled(self.splits.train, texts))

    def _of_items(self, logits: np.ndarray) -> Tensor:
        """Return the teacher's logits of all items (items, C) on the device; zeros for an item without a token."""
        lost, wanted = np.isnan(logits).all(1), self.splits.train.labels.has_output
        if lost.any():
            count = int(lost.sum() if wanted is None else (lost & wanted).sum())
            self.say(f"{count:,} of {len(lost):,} words have no token for the teacher, which favours no label there")
            logits = np.where(lost[:, None], np.float32(0), logits)
        return torch.from_numpy(logits).to(self.device)

    def add_unlabelled(self) -> int:
        """Add the unlabelled texts to the training rows of this stage; later stages train on labelled rows again."""
        self.texts = self.stage_inputs.extra_texts(self.prepared.splits.train)
        for extra in self.texts:
            self.splits = replace(self.splits, train=append_unlabelled(self.splits.train, extra))
        return sum(map(len, self.texts))

    def log_point(self, values: dict[str, float]) -> None:
        """Log a point at the step of the run's trainings so far; once, even where a resumed phase logs it again."""
        self.writer.point_once(self.writer.record.steps, values)

    def record_fact(self, name: str, value: str) -> None:
        """Enter a fact among those of the engine."""
        self.writer.add_engine({name: value})

    def add_metrics(self, values: dict[str, float]) -> None:
        """Add metrics to the stage's entry; a later value of the same name replaces an earlier one."""
        self.metrics |= values

    def save_progress(self, model: nn.Module, state: JsonObject, tensors: dict[str, Tensor] | None = None) -> None:
        """Save the model between two phases, with the number of steps that the next phase's points count on from."""
        record = self.writer.record
        steps, spent = record.steps, record.metrics.get("time/train_s", 0.0)
        held = dict(model.state_dict()) | (tensors or {})
        self.boundaries.save(held, {"step": steps, "train_s": spent, "facts": self.metrics, "stage": state})
        self.draw_from(f"after step {steps}")

    def load_progress(self) -> tuple[dict[str, Tensor], JsonObject] | None:
        """Return the tensors and the state of the newest `save_progress`; None at the beginning of the stage."""
        found = self.boundaries.newest()
        if found is None:
            return None
        tensors, state = found
        self.metrics = state["facts"]
        self.writer.set_steps(state["step"])
        self.writer.add_metrics({"time/train_s": state["train_s"], "train/steps": state["step"]})
        self.draw_from(f"after step {state['step']}")
        return tensors, state["stage"]
