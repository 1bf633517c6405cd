"""A run's last stage: the training, or one compression; then the model is scored, saved and measured.

The earlier stages are a run of their own (dependencies/earlier_stages.py), whose record this run continues.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np

from data.splits import Splits
from data.stores.build_once import SharedCache
from models.capabilities import Fitted, Folded
from models.checkpoints.open import restore_saved
from models.compression.methods import make_stage
from models.compression.settings.learn import Distil
from models.heads.linear import LinearHead
from models.settings import FITTED_HEAD
from models.views.settings import NONE
from runner.config.recipes import AUTO
from runner.experiment.added_ngrams import add_fitted_ngrams
from runner.experiment.calibration import keep_calibration
from runner.experiment.context import RunMirror
from runner.experiment.cosine_layer import fit_cosine_layer, start_cosine_layer
from runner.experiment.cost_check import disagreement
from runner.experiment.divergence import learning_metrics
from runner.experiment.fitted_head import run_fitted_head
from runner.experiment.half_rate import fit_or_halve
from runner.experiment.ngram_student import record_retained, teacher_targets
from runner.experiment.prepared import PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.recipe import recipe_of
from runner.experiment.recipe_search import choose_recipe, take_recipe
from runner.experiment.results import evaluate, measure_costs, save_model
from runner.experiment.second_view.learn import learn_with_codes
from runner.experiment.stage_context import RunStageContext
from runner.experiment.stage_plan import PlannedStage, stage_plan
from runner.machine.exclusive import Exclusive
from runner.measure.params import count_params
from runner.record.bounds import BOUND_NOTE, is_bound
from runner.record.descriptions import constant_answers
from runner.record.folder import POINTS, read_record
from runner.record.lengths import write_lengths
from runner.record.record import StageEntry
from runner.record.writer import RecordWriter
from runner.training.frozen_states import attach_frozen_states, uses_frozen_states
from runner.training.inference import predict, score_selection
from runner.training.ngram.fit import fit_ngrams, put_into
from runner.training.ngram.fold import fold
from runner.training.ngram.found_rows import with_found_rows
from runner.tune.trial_pruning import Watch


def run_last_stage(
    prepared: PreparedRun,
    writer: RecordWriter,
    terminal: Terminal,
    mirror: RunMirror | None,
    watch: Watch | None = None,
) -> None:
    """Run the last stage; every number is in the record as soon as it is known."""
    stages = stage_plan(prepared.settings)
    if prepared.before:
        _continue_from(prepared.before, prepared, writer)
    elif prepared.settings.train.recipe == AUTO and not prepared.settings.finished:
        choose_recipe(prepared, writer, terminal)
    context = RunStageContext(prepared, writer, terminal, mirror, f"{len(stages)}-{stages[-1].name}")
    if len(stages) > 1:
        terminal.say(f"stage {len(stages)} of {len(stages)}: {stages[-1].name}")
    with timed(writer, "time/stage_s", prepared.exclusive):
        _run_stage(stages[-1], context, watch)
    _close_stage(stages[-1], context, prepared.folder / "model")


def _continue_from(before: Path, prepared: PreparedRun, writer: RecordWriter) -> None:
    """Take over the model of the run folder `before`, its record's findings, and its points if there are none yet."""
    found = read_record(before)
    assert found is not None, "it has just been finished"
    if found.recipe:
        take_recipe(prepared, found.recipe.chosen)
    prepared.model = restore_saved(prepared.model, before / "model")  # type: ignore[arg-type]
    writer.continue_from(found)
    if (before / POINTS).exists() and not (writer.folder / POINTS).exists():  # from= may have trained nothing yet
        shutil.copyfile(before / POINTS, writer.folder / POINTS)


def _run_stage(stage: PlannedStage, context: RunStageContext, watch: Watch | None) -> None:
    if stage.options is None and isinstance(context.prepared.model.bert, Fitted):
        _fit_ngrams(context)
    elif stage.options is None and context.settings.model.head == FITTED_HEAD:
        run_fitted_head(context)
    elif stage.options is None and context.settings.view.name != NONE:
        learn_with_codes(context)
    elif stage.options is None:
        _train(context, watch)
    elif isinstance(stage.options, Distil) and isinstance(context.prepared.model.bert, Fitted):
        _fit_ngrams(context, teacher_targets(context, stage.options))
        record_retained(context)
    else:
        prepared = context.prepared
        start_cosine_layer(prepared, prepared.model)  # a student that is trained from scratch
        context.draw_from("start")
        prepared.model = make_stage(stage.options, stage.name).run(prepared.model, context)  # type: ignore[assignment]


def _train(context: RunStageContext, watch: Watch | None) -> None:
    """Run the plain training and record its findings."""
    prepared, writer, settings = context.prepared, context.writer, context.settings
    splits = with_frozen_states(prepared, writer, context.terminal)
    bag = prepared.model.bert
    if isinstance(bag, Folded):
        splits = with_found_rows(bag, splits)
    start_cosine_layer(prepared, prepared.model)
    trained = fit_or_halve(context, recipe_of(settings), splits, watch)
    if isinstance(bag, Folded):
        prepared.model = _folded(context)
    if settings.model.add == "ngram":
        add_fitted_ngrams(context)
    fit_cosine_layer(context)
    writer.set_steps(trained.steps)
    writer.add_metrics({
        "time/train_s": trained.seconds,
        "train/examples_per_s": trained.examples / max(trained.seconds, 1e-9),
        "train/tokens_per_s": trained.examples * float(splits.train.lengths.mean()) / max(trained.seconds, 1e-9),
        "train/steps": trained.steps,
        "train/left_out": trained.left_out,
        "train/best_epoch": trained.best_epoch,
    } | trained.module_metrics)  # fmt: skip
    writer.add_metrics(learning_metrics(prepared))
    writer.set_resumed_from(trained.resumed_from)
    writer.add_engine(trained.engine)


def _folded(context: RunStageContext) -> LinearHead:
    """Return the network over vectors of n-grams as a linear model, pruned and rounded; print its size."""
    prepared, settings = context.prepared, context.settings
    select, vectors = prepared.splits.select, cast(Folded, prepared.model.bert)

    def outputs_of(network: LinearHead) -> np.ndarray:
        return predict(
            network, select, batch_size=settings.train.eval_batch_size, device=prepared.device,
            precision=settings.train.precision, task=prepared.task,
        )  # fmt: skip

    folded = fold(cast(LinearHead, prepared.model), settings.model, prepared.splits, outputs_of)
    facts = folded.architecture["ngram"]
    told = (
        f"folded: {facts['count']:,} of {len(vectors.hashes):,} n-grams kept, each with one byte per class; "
        f"temperature {facts['temperature']:.2f}"
    )
    context.writer.add_notes([told])
    context.say(told)
    return folded.to(prepared.device)


def _fit_ngrams(context: RunStageContext, targets: np.ndarray | None = None) -> None:
    """Fit a model over n-grams, which takes one pass over the training rows, and record its findings.

    targets: as in `fit_ngrams`.
    """
    prepared, writer, settings = context.prepared, context.writer, context.settings
    splits, task = context.splits, prepared.task
    found = fit_ngrams(
        splits, task, settings.model, prepared.exclusive.yield_to_timing, is_symmetric=settings.data.symmetric,
        max_length=settings.data.max_length, targets=targets, tell=context.say,
    )  # fmt: skip
    put_into(cast(LinearHead, prepared.model), found)
    kept = predict(
        prepared.model, splits.select, batch_size=settings.train.eval_batch_size, device=prepared.device,
        precision=settings.train.precision, task=task,
    )  # fmt: skip
    writer.point(1, score_selection(task, splits.select, kept))
    writer.set_steps(1)
    writer.add_metrics({
        "time/train_s": found.seconds,
        "train/examples_per_s": len(splits.train) / max(found.seconds, 1e-9),
        "train/tokens_per_s": len(splits.train.tokens) / max(found.seconds, 1e-9),
        "train/steps": 1,
        "train/left_out": 0,
        "train/best_epoch": 1,
        "train/settings": found.choice.tried,
    })  # fmt: skip
    writer.add_metrics(learning_metrics(prepared))
    writer.add_notes([found.sentence()])
    context.terminal.say(found.sentence())


def _close_stage(stage: PlannedStage, context: RunStageContext, folder: Path) -> None:
    """Score, save and measure the model that the stage left, and enter the stage into the record."""
    prepared, writer = context.prepared, context.writer
    writer.add_metrics(prepared.seconds)
    with timed(writer, "time/evaluate_s", prepared.exclusive):
        found = evaluate(prepared)
    writer.add_metrics(found.metrics)
    writer.set_reports(found.reports)
    writer.set_calibration(found.calibration)
    writer.set_thresholds(found.thresholds)
    if is_bound(writer.record):
        counts = count_params(prepared.model)
        writer.add_metrics({"cost/params": counts.total, "cost/params_trained": counts.trained})
        writer.add_notes([BOUND_NOTE])
    else:
        _save_and_measure(context, folder)
    writer.add_metrics(context.metrics)
    metrics = writer.record.metrics
    density = context.metrics.get("prune/density_prunable")
    if density is not None and (note := disagreement(density, metrics, _costs_before(context))):
        writer.add_notes([f"{stage.name}: {note}"])
        context.say(f"note: {stage.name}: {note}")
    writer.add_notes([f"{stage.name}: {sentence}" for sentence in constant_answers(writer.record)])
    writer.close_stage(StageEntry(stage.name, metrics, prepared.identity, metrics["time/stage_s"]))
    context.terminal.stage(writer.record)


def _save_and_measure(context: RunStageContext, folder: Path) -> None:
    """Save the model, and count and time what was saved."""
    prepared, writer = context.prepared, context.writer
    save_model(prepared, writer.record, folder)
    write_lengths(folder.parent)
    writer.set_calibration(keep_calibration(prepared, writer.record, folder))
    with timed(writer, "time/measure_s", prepared.exclusive):
        writer.add_metrics(measure_costs(prepared, writer.record, context.say, folder))


def _costs_before(context: RunStageContext) -> dict[str, float]:
    """Return the metrics of the model before this stage; empty where no record has them."""
    stages, finished = context.writer.record.stages, context.settings.finished
    if stages:
        return stages[-1].metrics
    found = read_record(Path(finished).parent) if finished else None
    return found.metrics if found else {}


def with_frozen_states(prepared: PreparedRun, writer: RecordWriter, terminal: Terminal) -> Splits:
    """Return the splits to train on, with the stored states of a frozen encoder where they are to be kept."""
    if not uses_frozen_states(prepared.model, prepared.settings.cache):
        return prepared.splits
    with timed(writer, "time/cache_s", prepared.exclusive):
        cache = Path(prepared.settings.paths.cache).expanduser()
        shared = SharedCache(cache, terminal.say, prepared.exclusive.waiting)
        splits = attach_frozen_states(prepared.model, prepared.splits, prepared.settings.cache, shared, prepared.device)
    kept = [split.frozen_states for split in (splits.train, splits.select)]
    writer.add_metrics({"cost/bytes_cache": sum(states.values.nbytes for states in kept if states)})
    return splits


@contextmanager
def timed(writer: RecordWriter, name: str, exclusive: Exclusive) -> Iterator[None]:
    """Add the seconds that the block takes to the record under `name`."""
    begun = exclusive.clock()
    yield
    writer.add_metrics({name: exclusive.clock() - begun})
