"""A run's last stage: the training, or one compression; then the model is scored, saved and measured.

The earlier stages are a run of their own (dependencies/earlier_stages.py), whose record this run continues.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.splits import Splits
from data.stores.build_once import SharedCache
from models.checkpoints.open import restore_saved
from models.compression.methods import make_stage
from runner.experiment.context import RunMirror
from runner.experiment.cost_check import disagreement
from runner.experiment.divergence import learning_metrics
from runner.experiment.prepared import PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.recipe import recipe_of
from runner.experiment.results import evaluate, measure_costs, save_model
from runner.experiment.stage_context import RunStageContext
from runner.experiment.stage_plan import PlannedStage, stage_plan
from runner.machine.exclusive import Exclusive
from runner.record.descriptions import constant_answers
from runner.record.raw import POINTS, Record, whole
from runner.record.record import RunRecord
from runner.training.checkpoint import Checkpoints
from runner.training.frozen_states import attach_frozen_states, uses_frozen_states
from runner.tune.trial_pruning import Watch

CONTINUED = ("metrics", "stages", "steps", "resumed_from_step")  # parts of a record that the next stage's continues


def run_last_stage(
    prepared: PreparedRun, record: Record, terminal: Terminal, mirror: RunMirror | None, watch: Watch | None = None
) -> None:
    """Run the last stage; every number is in the record as soon as it is known."""
    stages = stage_plan(prepared.settings)
    if prepared.before:
        _continue_from(prepared.before, prepared, record)
    context = RunStageContext(prepared, record, terminal, mirror, f"{len(stages)}-{stages[-1].name}")
    if len(stages) > 1:
        terminal.say(f"stage {len(stages)} of {len(stages)}: {stages[-1].name}")
    with timed(record, "time/stage_s", prepared.exclusive):
        _run_stage(stages[-1], context, watch)
    _close_stage(stages[-1], context, prepared.folder / "model")


def _continue_from(before: Path, prepared: PreparedRun, record: Record) -> None:
    """Take over the model of the run folder `before`, the findings in its record, and its points where none are yet."""
    found = whole(before)
    assert found is not None, "it has just been finished"
    prepared.model = restore_saved(prepared.model, before / "model")  # type: ignore[arg-type]
    record.content |= {key: found[key] for key in CONTINUED if key in found}
    record.content["notes"] = list(dict.fromkeys([*found["notes"], *record.content["notes"]]))
    environment = record.content["environment"]
    environment["engine"] = found["environment"]["engine"] | environment["engine"]
    if not (record.folder / POINTS).exists():
        shutil.copyfile(before / POINTS, record.folder / POINTS)


def _run_stage(stage: PlannedStage, context: RunStageContext, watch: Watch | None) -> None:
    if stage.options is None:
        _train(context, watch)
    else:
        context.draw_from("start")
        prepared = context.prepared
        prepared.model = make_stage(stage.options, stage.name).run(prepared.model, context)  # type: ignore[assignment]


def _train(context: RunStageContext, watch: Watch | None) -> None:
    """Run the plain training and record its findings."""
    prepared, record, settings = context.prepared, context.record, context.settings
    splits = with_frozen_states(prepared, record, context.terminal)
    checkpoints = Checkpoints(prepared.folder, prepared.identity, settings.checkpoint.every_s)
    trained = context.fit(prepared.model, recipe_of(settings), checkpoints, splits=splits, watch=watch)
    record.content["steps"] = trained.steps
    record.add({
        "time/train_s": trained.seconds,
        "train/examples_per_s": trained.examples / max(trained.seconds, 1e-9),
        "train/tokens_per_s": trained.examples * float(splits.train.lengths.mean()) / max(trained.seconds, 1e-9),
        "train/steps": trained.steps,
        "train/left_out": trained.left_out,
        "train/best_epoch": trained.best_epoch,
    } | trained.module_metrics)  # fmt: skip
    record.add(learning_metrics(prepared))
    record.content["resumed_from_step"] = trained.resumed_from
    record.content["environment"]["engine"] |= trained.engine


def _close_stage(stage: PlannedStage, context: RunStageContext, folder: Path) -> None:
    """Score, save and measure the model that the stage left, and enter the stage into the record."""
    prepared, record = context.prepared, context.record
    record.add(prepared.seconds)
    with timed(record, "time/evaluate_s", prepared.exclusive):
        found, reports = evaluate(prepared)
    record.add(found)
    record.content["reports"] = reports
    save_model(prepared, record, folder)
    with timed(record, "time/measure_s", prepared.exclusive):
        record.add(measure_costs(prepared, context.say, folder))
    record.add(context.metrics)
    metrics = dict(record.content["metrics"])
    entry: dict[str, Any] = {"name": stage.name, "run": prepared.identity, "metrics": metrics}
    entry["seconds"] = metrics["time/stage_s"]
    density = context.metrics.get("prune/density_prunable")
    if density is not None and (note := disagreement(density, metrics, _costs_before(context))):
        record.content["notes"].append(f"{stage.name}: {note}")
        context.say(f"note: {stage.name}: {note}")
    record.content["notes"] += [
        f"{stage.name}: {sentence}" for sentence in constant_answers(RunRecord.from_json(record.content))
    ]
    record.content["stages"].append(entry)
    record.write()
    context.terminal.stage(record.content)


def _costs_before(context: RunStageContext) -> dict[str, float]:
    """The metrics of the model before this stage; empty where no record has them."""
    stages, finished = context.record.content["stages"], context.settings.finished
    if stages:
        return dict(stages[-1]["metrics"])
    found = whole(Path(finished).parent) if finished else None
    return dict(found["metrics"]) if found else {}


def with_frozen_states(prepared: PreparedRun, record: Record, terminal: Terminal) -> Splits:
    """The splits to train on, with the stored states of a frozen encoder where they are to be kept."""
    if not uses_frozen_states(prepared.model, prepared.settings.cache):
        return prepared.splits
    with timed(record, "time/cache_s", prepared.exclusive):
        cache = Path(prepared.settings.paths.cache).expanduser()
        shared = SharedCache(cache, terminal.say, prepared.exclusive.waiting)
        splits = attach_frozen_states(prepared.model, prepared.splits, prepared.settings.cache, shared, prepared.device)
    kept = [split.frozen_states for split in (splits.train, splits.select)]
    record.add({"cost/bytes_cache": sum(states.values.nbytes for states in kept if states)})
    return splits


@contextmanager
def timed(record: Record, name: str, exclusive: Exclusive) -> Iterator[None]:
    """Add the seconds that the block takes to the record under `name`."""
    begun = exclusive.clock()
    yield
    record.add({name: exclusive.clock() - begun})
