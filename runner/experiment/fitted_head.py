"""The stage of a run whose last layer is fitted: the encoder as it is, or tuned on pairs of texts first."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from data.stores.build_once import SharedCache
from data.stores.text_vectors import text_keys
from models.heads.text import SequenceClassifier
from runner.experiment.divergence import learning_metrics
from runner.experiment.recipe import recipe_of
from runner.experiment.stage_context import RunStageContext
from runner.record.metrics import direction
from runner.training.checkpoint import Checkpoints
from runner.training.few_labels.contrastive import pair_recipe, tune_on_pairs
from runner.training.few_labels.head import STRENGTHS, FittedHead, fit_head, put_into
from runner.training.few_labels.pairs import pair_counts, pairs_a_row
from runner.training.few_labels.vectors import stored_vectors, text_vectors
from runner.training.inference import score
from runner.training.plan import BatchPlan
from runner.training.state import TrainingResult, TrainingState


def run_fitted_head(context: RunStageContext) -> None:
    """Tune the encoder where the settings ask for it, fit the last layer, and record the findings."""
    tuned = None if context.settings.model.pairs == "none" else _tune(context)
    clock = context.exclusive.clock
    begun = clock()
    found, outputs = _fit(context, is_stored=tuned is None)
    prepared, writer = context.prepared, context.writer
    steps = tuned.steps if tuned else 1
    writer.point(steps, score(prepared.task, prepared.splits.select, outputs))
    writer.set_steps(steps)
    seconds = clock() - begun + (tuned.seconds if tuned else 0.0)
    examples = tuned.examples if tuned else len(prepared.splits.train)
    writer.add_metrics({
        "time/train_s": seconds,
        "train/examples_per_s": examples / max(seconds, 1e-9),
        "train/tokens_per_s": examples * float(prepared.splits.train.lengths.mean()) / max(seconds, 1e-9),
        "train/steps": steps,
        "train/left_out": tuned.left_out if tuned else 0,
        "train/best_epoch": 1,
        "train/settings": len(found.tried),
    })  # fmt: skip
    writer.add_metrics(learning_metrics(prepared))
    if tuned:
        writer.set_resumed_from(tuned.resumed_from)
        writer.add_engine(tuned.engine)
    writer.add_notes([found.sentence()])
    context.say(found.sentence())


def _tune(context: RunStageContext) -> TrainingResult:
    """Tune the encoder on pairs; its points are in the record and on the terminal."""
    prepared, settings, terminal = context.prepared, context.settings, context.terminal
    labels = np.asarray(prepared.splits.train.known_labels)
    pairs = pairs_a_row(settings.model.pairs, len(labels))
    recipe = pair_recipe(recipe_of(settings), pairs)
    same, different = pair_counts(labels)
    told = (
        f"contrastive tuning: each of {len(labels):,} rows is paired with {pairs} of its class and {pairs} of others, "
        f"{2 * pairs * len(labels):,} pairs per epoch (of {same:,} within classes, {different:,} between them)"
    )
    context.writer.add_notes([told])
    context.say(told)
    terminal.begin_training(BatchPlan(prepared.splits.train.lengths, recipe.train, recipe.seed).total)

    def on_point(state: TrainingState, values: dict[str, float]) -> None:
        shown = values | {"train/epoch": values["train/epoch"] / (2 * pairs)}
        context.writer.point(state.step, shown)
        terminal.point(state.step, state.epoch, values["train/loss"], values["train/examples_per_s"])

    return tune_on_pairs(
        cast(SequenceClassifier, prepared.model), prepared.splits, prepared.task, recipe, device=context.device,
        checkpoints=Checkpoints(prepared.folder, prepared.identity, settings.checkpoint.every_s),
        on_point=on_point, exclusive=context.exclusive,
    )  # fmt: skip


def _fit(context: RunStageContext, *, is_stored: bool) -> tuple[FittedHead, np.ndarray]:
    """Fit the last layer and put it into the model; returns it and its outputs on the selection split.

    is_stored: are the vectors kept in the cache? Those of an encoder that this run has tuned are of no use to other
    runs.
    """
    prepared, settings = context.prepared, context.settings
    model, task, splits = cast(SequenceClassifier, prepared.model), prepared.task, prepared.splits
    pause, parts = context.exclusive.yield_to_timing, (splits.train, splits.select)
    # Frames are scaled by the training rows, which are not part of the cache key.
    is_stored &= model.bert.frame_width is None
    if is_stored and settings.cache.mode == "disk":
        cache = SharedCache(Path(settings.paths.cache).expanduser(), context.say, context.exclusive.waiting)
        train, select = stored_vectors(model, parts, context.device, cache, pause)
    else:
        train, select = (text_vectors(model, part, context.device, pause) for part in parts)
    labels, name = np.asarray(splits.train.known_labels), task.metrics[0]
    sign = -1.0 if direction(f"{splits.select.name}/{name}") == "lower" else 1.0

    def selection_score(found: FittedHead) -> float:
        return sign * task.evaluate(task.answers(found.outputs(select), splits.select), [name])[name]

    weights, fixed = task.facts.class_weights, settings.model.head_c
    apart = ~np.isin(text_keys(splits.train), text_keys(splits.select))  # data.fold=all trains on the others too
    found = fit_head(
        train, labels, task.head().outputs, selection_score, pause=pause,
        strengths=STRENGTHS if fixed is None else (fixed,),
        row_weights=None if weights is None else weights[labels],
        choosing=apart,
    )  # fmt: skip
    put_into(model, found)
    return found, found.outputs(select)
