"""Evaluate, save and measure the model of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch

from data.inputs.bare_texts import ENTRY
from data.inputs.base import Input
from data.inputs.hashed_words import marked_pattern_of
from data.inputs.sound_features import SoundFeatures
from data.inputs.tokenizer import PieceTokenizer
from data.splits import TokenSplit
from models.build import build
from models.checkpoints import save as saving
from models.heads.base import HeadSpec
from models.network import Network
from models.packed.facts import Facts
from models.packed.pack import write_packed
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.exported import describe_model, with_engine
from runner.deploy.predictors import open_predictor
from runner.experiment.calibration import answering_logits, calibrate, probability_metrics
from runner.experiment.prepared import PreparedRun
from runner.experiment.thresholds import fit_thresholds, variant_scores
from runner.experiment.transfer import transfer_metrics
from runner.measure.answers import Ask, distinct_texts, time_answers, time_features
from runner.measure.exits import exit_metrics
from runner.measure.inputs import Inputs
from runner.measure.measure import measure_model
from runner.record.calibration import VECTOR, CalibrationFacts
from runner.record.json_files import write_json
from runner.record.model_card import model_card
from runner.record.predictions import write_predictions
from runner.record.record import ClassReport, RunRecord
from runner.record.thresholds import FILE as THRESHOLDS
from runner.record.thresholds import ThresholdFacts
from runner.statistics.answers import Answers
from runner.statistics.scores import EXAMPLES
from runner.tasks.base import Task
from runner.tasks.make import task_of_record
from runner.training.inference import predict, score
from runner.training.ngram.strongest import card_section

REFERENCE_TOKENS = 30522  # BERT's vocabulary: the reference model has the published shape
MOST_TOKENS = 2**21  # the largest vocabulary; ids above it are hashes, which are folded into the rows of BERT's table


@dataclass
class Evaluation:
    """The metrics of all splits, the report on each class by split, and how logits become probabilities."""

    metrics: dict[str, float] = field(default_factory=dict)
    reports: dict[str, ClassReport] = field(default_factory=dict)
    calibration: CalibrationFacts | None = None
    thresholds: ThresholdFacts | None = None


def evaluate(prepared: PreparedRun) -> Evaluation:
    """Score each split, calibrate on the first, and store the predictions of each, with raw logits.

    The reported splits also get 95 % intervals and a baseline.
    """
    splits, task = prepared.splits, prepared.task
    found = Evaluation()
    variants: Mapping[str, Task] = {}
    reported: dict[str, Answers] = {}
    for split in ([splits.apart] if splits.apart else []) + [splits.select, *splits.report]:
        kept = logits_of(prepared, split, task)
        left = exit_metrics(prepared.model)
        if split is splits.report[0]:
            found.metrics |= left
        if split is splits.calibration:
            found.calibration = calibrate(prepared, kept)
        answering = answering_logits(found.calibration, kept)
        if split is splits.calibration:
            task, variants, found.thresholds = fit_thresholds(prepared, answering)
        found.metrics |= score(task, split, answering, task.always_recorded)
        found.metrics |= probability_metrics(prepared, found.calibration, split, kept)
        found.metrics |= variant_scores(variants, split, answering)
        answers = task.answers(answering, split)
        columns = task.columns_to_store(kept, answers)
        write_predictions(prepared.folder, split, columns, answers.names, answers.offsets)
        if split is splits.select and task.diverged_answers(answers):
            found.metrics["train/diverged"] = 1.0
        if split is splits.select or split is splits.apart:
            continue
        found.metrics |= _reported_metrics(prepared, split, answers)
        reported[split.name] = answers
        if report := task.report(answers):
            found.reports[split.name] = ClassReport(**report)
    found.metrics |= transfer_metrics(task, reported, splits.parallel)
    return found


def logits_of(prepared: PreparedRun, split: TokenSplit, task: Task) -> np.ndarray:
    """Return the outputs for a split: the model's, or for calibration by folds those of the folds' runs."""
    settings = prepared.settings.train
    if prepared.held_out and split is prepared.splits.apart:
        return prepared.held_out.logits
    return predict(
        prepared.model, split, batch_size=settings.eval_batch_size, device=prepared.device,
        precision=settings.precision, exclusive=prepared.exclusive, task=task,
    )  # fmt: skip


def _reported_metrics(prepared: PreparedRun, split: TokenSplit, answers: Answers) -> dict[str, float]:
    """Intervals, number of examples and constant predictions of a reported split; for the first one the baseline."""
    splits, task = prepared.splits, prepared.task
    found: dict[str, float] = {}
    for name in task.metrics:
        low, high = task.score(name).interval(answers)
        found |= {f"{split.name}/{name}_low": low, f"{split.name}/{name}_high": high}
    found[f"{split.name}/examples"] = split.source_count
    if (units := task.score(task.metrics[0]).units) != EXAMPLES:
        found[f"{split.name}/{units}"] = len(answers)
    if (constant := task.is_constant(answers)) is not None:
        found[f"{split.name}/constant_predictions"] = float(constant)
    if split is splits.report[0]:
        found["baseline/majority"] = task.baseline(splits.train, split, task.metrics[0])
        named = task.baselines(splits.train, split, task.metrics[0])
        found |= {f"baseline/{name}": value for name, value in named.items()}
    return found


def save_model(prepared: PreparedRun, record: RunRecord, folder: Path) -> None:
    """Save the model in its present state as a Hugging Face folder."""
    splits = prepared.splits

    def save_files(part: Path) -> None:
        splits.tokenizer.save(part, longest=prepared.model.longest_input())
        write_packed(prepared.model, part, packing_facts(prepared, task_of_record(record)))
        if record.thresholds and record.thresholds.values:
            write_json(part / THRESHOLDS, dict(zip(splits.task.label_names, record.thresholds.values)))

    saving.save_model(
        prepared.model,
        folder,
        tokenizer_save=save_files,
        label_names=list(splits.task.label_names),
        card=model_card(record, prepared.model.auto_class, not prepared.model.is_stock())
        + card_section(prepared.model, splits),
    )


def packing_facts(prepared: PreparedRun, task: Task) -> Facts:
    """Return the facts for a model.bin beside the numbers of the model; task: as it answers."""
    data, found = prepared.settings.data, prepared.splits.tokenizer
    tokenizer = json.loads(found.backend.to_str()) if isinstance(found, PieceTokenizer) else None
    if tokenizer and isinstance(found, PieceTokenizer) and found.bare:
        tokenizer[ENTRY] = found.bare.facts()
    labels = tuple(prepared.splits.task.label_names)
    is_pair, sets = data.text_pair is not None, task.reader_facts()
    sound = found.content if isinstance(found, SoundFeatures) else {}
    return Facts(
        labels, data.max_length, is_pair, tokenizer, found.cleaning, found.language, marked_pattern_of(found), sets,
        sound, data.truncate, keeps_both=prepared.settings.calibration == VECTOR,
    )  # fmt: skip


def measure_costs(
    prepared: PreparedRun, record: RunRecord, notify: Callable[[str], None], folder: Path
) -> dict[str, float]:
    """Size and work of the model saved in `folder`, its time to answer, and its latency beside a reference model."""
    settings, splits = prepared.settings, prepared.splits
    reference = None
    if settings.measure.enabled:
        notify("measuring size and latency")
        reference = build_reference_model(prepared)
    with prepared.exclusive.exclusive_timing(notify) if settings.measure.enabled else nullcontext():
        found = measure_model(
            prepared.model,
            splits.report[0],
            settings.measure,
            baseline=reference,
            model_folder=folder,
            positions=positions_of(prepared),
            warn=notify,
        )
        # Last, because a second copy of the model in memory is no part of the peak that has just been read.
        return found | (measure_answers(prepared, record, folder) if settings.measure.enabled else {})


def measure_answers(prepared: PreparedRun, record: RunRecord, folder: Path) -> dict[str, float]:
    """Return the times to open the model in `folder` and to answer reported texts as `run predict` does; on the CPU."""
    columns = distinct_texts(prepared.splits.report[0])
    if not prepared.task.is_deployed or not columns:
        return {}
    exported, settings = with_engine(describe_model(record, folder), "auto"), prepared.settings.measure

    def load() -> Ask:
        predictor = open_predictor(exported, settings.threads)
        return lambda questions: predictor(questions[0], questions[1] if len(questions) > 1 else None)

    found = time_answers(load, columns, settings, prepared.task.asked_together)
    if prepared.model.bert.frame_width is not None:
        own = cast(Input, prepared.splits.report[0].input)
        found |= time_features(own, columns, prepared.settings.data.max_length, settings)
    return found


def positions_of(prepared: PreparedRun) -> int:
    """Return the longest input in tokens that the model takes; a usual length where there is no limit."""
    return prepared.model.longest_input() or prepared.settings.model.positions


def build_reference_model(prepared: PreparedRun) -> Network | None:
    """Return the preset `measure.baseline` with random weights: timed beside the model, it makes machines comparable.

    It is a classifier, or where the task's head reads tokens has that head, so that it takes the same inputs.
    """
    name, splits, task = prepared.settings.measure.baseline, prepared.splits, prepared.task
    tokens = splits.tokenizer.vocab_size
    if not name or prepared.model.bert.frame_width is not None:  # reference models read texts
        return None
    settings = resolve(compose([f"model={name}", "data=demo"]))
    task.adapt(settings)
    preset = settings.model
    preset.positions = max(preset.positions, positions_of(prepared))
    with torch.random.fork_rng():
        model, _ = build(
            preset,
            task.head() if task.reads == "tokens" else HeadSpec("text", splits.task.num_labels),
            vocab_size=max(REFERENCE_TOKENS, tokens if tokens <= MOST_TOKENS else 0),
            pad_id=splits.tokenizer.pad_id,
        )
    if tokens > model.architecture["vocab_size"]:
        model.register_forward_pre_hook(_fold_ids, with_kwargs=True)
    if prepared.model.longest_input() is None:
        model.register_forward_pre_hook(_cut, with_kwargs=True)
    model.to(prepared.device)
    return model


def _cut(model: Network, args: tuple[object, ...], inputs: Inputs) -> tuple[tuple[object, ...], Inputs]:
    """Cut rows that are longer than the reference model takes; the measured model still reads all of them."""
    most = model.architecture["max_position_embeddings"]
    return args, {name: None if values is None else values[:, :most] for name, values in inputs.items()}


def _fold_ids(model: Network, args: tuple[object, ...], inputs: Inputs) -> tuple[tuple[object, ...], Inputs]:
    """Replace hashes of words by rows of the reference model's word table."""
    return args, inputs | {"input_ids": inputs["input_ids"] % model.architecture["vocab_size"]}
