"""A run's last stage: the training, or one compression; then the model is scored, saved and measured.

What comes before that stage is a run of its own (dependencies/earlier_stages.py), whose record this one continues.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.stores.build_once import SharedCache
from models.checkpoints.open import restore_saved
from models.compression.methods import make_stage
from models.compression.settings.stage import StageSettings
from runner.experiment.cost_check import disagreement
from runner.experiment.recipe import recipe_of
from runner.experiment.results import costs, evaluate, learning, save_model
from runner.experiment.stage_context import RunStageContext, train
from runner.machine import exclusive as turns
from runner.record.descriptions import constant_answers
from runner.record.raw import POINTS, Record, whole
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.training.checkpoint import Checkpoints
from runner.training.frozen_states import attach_frozen_states, uses_frozen_states
from runner.tune.trial_pruning import Watch

if TYPE_CHECKING:
    from data.splits import Splits
    from runner.experiment.prepare import Started
    from runner.experiment.progress import Terminal
    from runner.track.mirror import Mirror

TRAIN = "train"
CONTINUED = ("metrics", "stages", "steps", "resumed_from_step")  # of a record, by that of the next stage's run


@dataclass(frozen=True)
class Link:
    """One stage of the chain; without options the plain training."""

    name: str
    options: StageSettings | None = None


def plan(settings: Settings) -> list[Link]:
    """The stages in order. The plain training comes first, unless the model is finished or the first stage trains."""
    stages = [Link(name, options) for name, options in settings.compression.items()]
    first = next(iter(settings.compression.values()), None)
    if settings.finished or (first and first.starts == "fresh"):
        return stages
    return [Link(TRAIN), *stages]


def execute(
    started: Started, record: Record, terminal: Terminal, mirror: Mirror | None, watch: Watch | None = None
) -> None:
    """Do the last stage; every number lands in the record as soon as it is known."""
    links = plan(started.settings)
    if started.before:
        _go_on_from(started.before, started, record)
    context = RunStageContext(started, record, terminal, mirror, f"{len(links)}-{links[-1].name}")
    if len(links) > 1:
        terminal.say(f"stage {len(links)} of {len(links)}: {links[-1].name}")
    with timed(record, "time/stage_s"):
        _run(links[-1], context, watch)
    _close(links[-1], context, started.folder / "model")


def _go_on_from(before: Path, started: Started, record: Record) -> None:
    """Take over the model in the run folder `before`, what its record found, and its points where none are yet."""
    found = whole(before)
    assert found is not None, "it has just been finished"
    started.model = restore_saved(started.model, before / "model")  # type: ignore[arg-type]
    record.content |= {key: found[key] for key in CONTINUED if key in found}
    record.content["notes"] = list(dict.fromkeys([*found["notes"], *record.content["notes"]]))
    environment = record.content["environment"]
    environment["engine"] = found["environment"]["engine"] | environment["engine"]
    if not (record.folder / POINTS).exists():
        shutil.copyfile(before / POINTS, record.folder / POINTS)


def _run(link: Link, context: RunStageContext, watch: Watch | None) -> None:
    if link.options is None:
        _train(context, watch)
    else:
        context.draw_from("start")
        context.started.model = make_stage(link.options, link.name).run(context.started.model, context)  # type: ignore[assignment]


def _train(context: RunStageContext, watch: Watch | None) -> None:
    """The plain training, and what it says of itself."""
    started, record, settings = context.started, context.record, context.settings
    splits = with_activations(started, record, context.terminal)
    checkpoints = Checkpoints(started.folder, started.identity, settings.checkpoint.every_s)
    trained = train(context, started.model, recipe_of(settings), checkpoints, splits=splits, watch=watch)
    record.content["steps"] = trained.steps
    record.add({
        "time/train_s": trained.seconds,
        "train/examples_per_s": trained.examples / max(trained.seconds, 1e-9),
        "train/tokens_per_s": trained.examples * float(splits.train.lengths.mean()) / max(trained.seconds, 1e-9),
        "train/steps": trained.steps,
        "train/left_out": trained.left_out,
        "train/best_epoch": trained.best_epoch,
    } | trained.module_metrics)  # fmt: skip
    record.add(learning(started))
    record.content["resumed_from_step"] = trained.resumed_from
    record.content["environment"]["engine"] |= trained.engine


def _close(link: Link, context: RunStageContext, folder: Path) -> None:
    """Score, save and measure the model as the stage left it, and enter that into the record."""
    started, record = context.started, context.record
    record.add(started.seconds)
    with timed(record, "time/evaluate_s"):
        found, reports = evaluate(started)
    record.add(found)
    record.content["reports"] = reports
    save_model(started, record, folder)
    with timed(record, "time/measure_s"):
        record.add(costs(started, context.terminal, folder))
    record.add(context.facts)
    metrics = dict(record.content["metrics"])
    entry: dict[str, Any] = {"name": link.name, "run": started.identity, "metrics": metrics}
    entry["seconds"] = metrics["time/stage_s"]
    density = context.facts.get("prune/density_prunable")
    if density is not None and (note := disagreement(density, metrics, _before(context))):
        record.content["notes"].append(f"{link.name}: {note}")
        context.say(f"note: {link.name}: {note}")
    sentences = constant_answers(RunRecord.from_json(record.content))
    record.content["notes"] += [f"{link.name}: {sentence}" for sentence in sentences]
    record.content["stages"].append(entry)
    record.write()
    context.terminal.stage(record.content)


def _before(context: RunStageContext) -> dict[str, float]:
    """What the model cost before this stage; empty where no record says it."""
    stages, finished = context.record.content["stages"], context.settings.finished
    if stages:
        return dict(stages[-1]["metrics"])
    found = whole(Path(finished).parent) if finished else None
    return dict(found["metrics"]) if found else {}


def with_activations(started: Started, record: Record, terminal: Terminal) -> Splits:
    """What is trained on: the splits, with the states of a frozen encoder where they are to be kept."""
    settings = started.settings
    if not uses_frozen_states(started.model, settings.cache):
        return started.splits
    with timed(record, "time/cache_s"):
        shared = SharedCache(Path(settings.paths.cache).expanduser(), terminal.say, turns.waiting)
        splits = attach_frozen_states(started.model, started.splits, settings.cache, shared, started.device)
    kept = [split.frozen_states for split in (splits.train, splits.select)]
    record.add({"cost/bytes_cache": sum(states.values.nbytes for states in kept if states)})
    return splits


@contextmanager
def timed(record: Record, name: str) -> Iterator[None]:
    """Add the seconds that the block takes to the record under `name`."""
    begun = turns.clock()
    yield
    record.add({name: turns.clock() - begun})
