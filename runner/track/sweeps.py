"""Mirrors sweeps to MLflow: a parent run with its runs below it, means over seeds, and the files of the sweep's folder.

Like `sync_run`, `sync_sweep` may be called at any time; the folder <output>/sweeps/<id> is the source of truth. A run
that belongs to several sweeps stays below the first; its tag `sweeps` names them all.
"""

from __future__ import annotations

import re
import shlex
import socket
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from runner.record.baseline import is_at_baseline
from runner.record.folder import read_record
from runner.record.record import RecordError, RunRecord
from runner.record.run_names import distinguish, names_of, settings_of
from runner.record.sweep_record import SWEEP, SweepRecord, read_sweep
from runner.sanitize import mask
from runner.track.attempt import attempt
from runner.track.connection import MLFLOW_STATUS, MlflowTarget
from runner.track.errors import TrackError
from runner.track.folder import (
    MirrorState,
    is_finite,
    milliseconds,
    read_state,
    write_state,
)
from runner.track.metric_names import allowed_name, headline_names
from runner.track.settings import TrackerSettings

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

MAX_TAG = 8000
MAX_LABEL = 150  # characters of a group label in a metric name, which may have 250
PAGES = (".html", ".png", ".svg", ".pdf")
PARENT, SWEEPS, HOME = "mlflow.parentRunId", "sweeps", "folder"
AT_BASELINE = "at_baseline/"  # metrics that mark groups that have learned nothing
OF_THE_DATA = "baseline/"  # metrics that are the same for all groups
BELOW = "sweep"  # the folder for files that are neither pages nor images; MLflow lists it after report.html


def is_sweep(folder: Path) -> bool:
    """Return whether this is the folder of a sweep rather than of a run."""
    return (folder / SWEEP).is_file()


def sync_sweep(folder: Path, settings: TrackerSettings, target: MlflowTarget | None = None) -> str:
    """Bring the parent run of a sweep up to date with its folder; return "created", "updated" or "unchanged".

    Raises TrackError with one line for the user; the same line is kept in <folder>/mlflow.json.
    """
    output = folder.parent.parent
    return attempt(folder, output, settings, target, lambda found: _sync(folder, _read(folder), settings, found))


def _read(folder: Path) -> SweepRecord:
    """Return the record of a sweep; raise TrackError if it is damaged."""
    try:
        return read_sweep(folder)
    except RecordError as error:
        raise TrackError(
            f"{folder / SWEEP} is damaged: {error}. Repair it, or run that sweep again, which rewrites it"
        ) from error


def _sync(folder: Path, sweep: SweepRecord, settings: TrackerSettings, target: MlflowTarget) -> str:
    before = read_state(folder)
    here = (before.uri, before.experiment) == (target.uri, target.experiment)
    state = replace(before) if here else MirrorState(uri=target.uri, experiment=target.experiment)
    run = _find(target, folder, sweep.id, state)
    created = run is None
    if run is None:
        run = _create(target, sweep, folder)
    state.run_id, state.problem = run.info.run_id, None
    if run.info.lifecycle_stage == "active":  # else the user deleted it in MLflow: leave it deleted
        _adopt(target, run.info.run_id, sweep, folder)
        _describe(target, run, sweep)
        ended = (sweep.status, sweep.ended or "")
        if ended[0] != "running" and (created or not here or (state.status, state.ended) != ended):
            _send_end(target, run.info.run_id, folder, sweep, settings)
        elif ended[0] == "running" and run.info.status != "RUNNING":  # the sweep was started again
            target.client.update_run(run.info.run_id, status="RUNNING")
        state.status, state.ended = ended
    if state != before:
        write_state(folder, state)
    return "created" if created else "unchanged" if state == before else "updated"


def _find(target: MlflowTarget, folder: Path, identity: str, state: MirrorState) -> Run | None:
    """Return the parent run: by its id, else by its tags; None if there is none.

    A sweep is named by its command alone: on other machines and in other folders the same command is another sweep.
    """
    if run := target.find_run(state.run_id):
        return run
    found = target.client.search_runs([target.experiment_id], f"tags.sweep = '{identity}'")
    return next((run for run in found if run.data.tags.get(HOME) == folder_on_host(folder)), None)


def _create(target: MlflowTarget, sweep: SweepRecord, folder: Path) -> Run:
    return target.client.create_run(
        target.experiment_id,
        start_time=milliseconds(sweep.started),
        tags={"sweep": sweep.id, HOME: folder_on_host(folder)},
        run_name=f"sweep {sweep.title}",
    )


def _describe(target: MlflowTarget, run: Run, sweep: SweepRecord) -> None:
    """Send the tags that MLflow does not have yet."""
    from mlflow.entities import RunTag

    states = [run.status for run in sweep.runs]
    values = {
        "sweep_name": sweep.name,
        "mlflow.note.content": sweep.question,
        "mlflow.source.name": mask(shlex.join(["run", "-m", *sweep.overrides])),
        "mlflow.source.type": "LOCAL",
        "runs": ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)),
    }
    tags = [RunTag(name, str(value)[:MAX_TAG]) for name, value in values.items() if value]
    new = [tag for tag in tags if run.data.tags.get(tag.key) != tag.value]
    if new:
        target.client.log_batch(run.info.run_id, tags=new)


def _adopt(target: MlflowTarget, parent: str, sweep: SweepRecord, folder: Path) -> None:
    """Put the sweep's runs that MLflow has below the parent; a run that already has a parent keeps it.

    Runs below this parent are named by the settings that vary among them.
    """
    output = folder.parent.parent
    records = [record for identity in sweep.identities if (record := read_record(output / identity))]
    names = {record.identity: name for record, name in zip(records, names_of(records))} if len(records) > 1 else {}
    for identity in sweep.identities:
        state = read_state(output / identity)
        is_here = (state.uri, state.experiment) == (target.uri, target.experiment)
        run = target.find_run(state.run_id) if is_here else None
        if run is None or run.info.lifecycle_stage != "active":  # the user deleted it in MLflow: leave it deleted
            continue
        tags = run.data.tags
        known = [name for name in tags.get(SWEEPS, "").split(",") if name]
        if PARENT not in tags:
            target.client.set_tag(state.run_id, PARENT, parent)
        if tags.get(PARENT, parent) == parent and names.get(identity, run.info.run_name) != run.info.run_name:
            target.client.update_run(state.run_id, name=names[identity])
        if sweep.id not in known:
            target.client.set_tag(state.run_id, SWEEPS, ",".join([*known, sweep.id])[:MAX_TAG])


def _send_end(target: MlflowTarget, run_id: str, folder: Path, sweep: SweepRecord, settings: TrackerSettings) -> None:
    """Send the means over seeds, then the files, and last the final status."""
    means = seed_aggregates(sweep, folder.parent.parent)
    target.log_metrics(run_id, [*means, *outdated_marks(target, run_id, means)])
    if settings.artifacts != "none":
        for path in sweep_files(folder):
            target.client.log_artifact(run_id, str(path), place_of(path, folder))
    target.client.set_terminated(run_id, MLFLOW_STATUS[sweep.status], end_time=milliseconds(sweep.ended))


def sweep_files(folder: Path) -> list[Path]:
    """Return the files of a sweep's folder that go to MLflow: all except hidden, partial and mirror state files."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if path.name[0] != "." and path.name != "mlflow.json" and path.suffix != ".part"]


def place_of(path: Path, folder: Path) -> str | None:
    """Return the MLflow folder of a sweep's file: pages and images keep their place, all others go below BELOW."""
    inside = path.parent.relative_to(folder).as_posix()
    if path.suffix in PAGES:
        return None if inside == "." else inside
    return BELOW if inside == "." else f"{BELOW}/{inside}"


def seed_aggregates(sweep: SweepRecord, output: Path) -> list[Metric]:
    """Return the mean of each headline metric in each group of seeds, and from two runs on the standard deviation.

    The primary metric also gets n, the number of runs.
    """
    from mlflow.entities import Metric

    when = milliseconds(sweep.ended) or round(time.time() * 1000)
    step = sum(run.status == "done" for run in sweep.runs)  # a resumed sweep has more of them
    found = []
    groups = _groups(sweep, output)
    for label, records in groups.items():
        if is_at_baseline([record.metrics for record in records], records[0].data.primary):
            found.append(Metric(f"{AT_BASELINE}{label}", 1.0, when, step))  # marks the means of the same group
    for label, records in groups.items():
        for name in [name for name in headline_names(records[0]) if not name.startswith(OF_THE_DATA)]:
            values = [record.metrics[name] for record in records if is_finite(record.metrics.get(name))]
            sent = allowed_name(name)
            if values:
                found.append(Metric(f"{sent}/mean/{label}", fmean(values), when, step))
            if name == records[0].data.primary:
                found.append(Metric(f"{sent}/n/{label}", len(values), when, step))
            if len(values) > 1:
                found.append(Metric(f"{sent}/std/{label}", stdev(values), when, step))
    return found


def outdated_marks(target: MlflowTarget, run_id: str, means: Sequence[Metric]) -> list[Metric]:
    """Return metrics that reset the marks of groups that were at baseline, but no longer are with further seeds."""
    from mlflow.entities import Metric

    run, now = target.find_run(run_id), {metric.key for metric in means}
    marked = [name for name, value in run.data.metrics.items() if name.startswith(AT_BASELINE) and value] if run else []
    return [Metric(name, 0.0, means[0].timestamp, means[0].step) for name in marked if means and name not in now]


def _groups(sweep: SweepRecord, output: Path) -> dict[str, list[RunRecord]]:
    """Return the records of the finished runs by group of seeds, each named by the settings that distinguish it."""
    # Each once: jobs that differ in train.threads, for example, are one run.
    finished = dict.fromkeys(run.identity for run in sweep.runs if run.status == "done" and run.identity)
    records = [record for identity in finished if (record := read_record(output / identity))]
    settings = [settings_of(record) for record in records]
    names = distinguish(settings, [record.overrides for record in records])
    labels = labels_of(names) if len(set(names)) > 1 else dict.fromkeys(names, "all")
    groups: dict[str, list[RunRecord]] = {}
    for name, record in zip(names, records):
        groups.setdefault(labels[name], []).append(record)
    return groups


def labels_of(names: Iterable[str]) -> dict[str, str]:
    """Return each name as the name of a metric may have it; those that are then alike get a checksum at the end."""
    found = {name: re.sub(r"[^\w. -]", "_", name)[:MAX_LABEL] for name in names}
    several = Counter(found.values())
    return {
        name: label if several[label] == 1 else f"{label[: MAX_LABEL - 9]} {zlib.crc32(name.encode()):08x}"
        for name, label in found.items()
    }


def folder_on_host(folder: Path) -> str:
    """Return host and path of a run folder, because several machines may write to one MLflow."""
    return f"{socket.gethostname()}:{folder.resolve()}"


def close_orphaned_runs(target: MlflowTarget, output: Path) -> int:
    """Close the runs that MLflow shows as running although their folder is gone; return how many there were.

    Runs of other machines and output folders are left alone. Runs whose folder exists get their status from it.
    """
    closed = 0
    for run in target.client.search_runs([target.experiment_id], "attributes.status = 'RUNNING'"):
        host, _, place = run.data.tags.get(HOME, "").partition(":")
        if host != socket.gethostname() or not Path(place).is_relative_to(output.resolve()) or Path(place).exists():
            continue
        target.client.set_tag(run.info.run_id, "reason", "its folder is gone")
        target.client.set_terminated(run.info.run_id, "KILLED")
        closed += 1
    return closed
