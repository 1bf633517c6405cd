"""Mirrors run folders to MLflow.

`sync_run` only sends what is new, so it may be called at any time, after any failure, and by several processes. The
order matters: the final status is sent last, so a run shown as finished is complete.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.record.added_metrics import read_added
from runner.record.folder import RECORD
from runner.record.record import RunRecord
from runner.record.run_names import name_of
from runner.sanitize import mask
from runner.track import translate
from runner.track.attempt import attempt
from runner.track.connection import MLFLOW_STATUS, MlflowTarget
from runner.track.folder import (
    MirrorState,
    Points,
    milliseconds,
    read_points,
    read_state,
    record_to_mirror,
    write_state,
)
from runner.track.settings import TrackerSettings
from runner.track.sweeps import HOME, PARENT, folder_on_host
from runner.track.translate import RUN_NAME

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Run

MAX_PARAMS = 100  # in one log_batch call, MLflow's limit, for params and for tags


def sync_run(folder: Path, settings: TrackerSettings, target: MlflowTarget | None = None) -> str:
    """Bring MLflow up to date with a run folder; return "created", "updated" or "unchanged".

    target: from `connect`, to open MLflow once for many folders; by default the embedded store beside the run folder.
    Raises TrackError with one line for the user; the same line is kept in <folder>/mlflow.json.
    """
    record_to_mirror(folder)  # raises if it is not a run folder, before a lock file is created in it

    def send(found: MlflowTarget) -> str:
        # Read under the lock: another process may have sent the end while this one waited, and an older record would
        # set a finished run back to running.
        return _sync(folder, record_to_mirror(folder), settings, found)

    return attempt(folder, folder.parent, settings, target, send)


def _sync(folder: Path, record: RunRecord, settings: TrackerSettings, target: MlflowTarget) -> str:
    state = _matching_state(read_state(folder), record, target)
    before = replace(state)
    run = _find(target, record, state)
    created = run is None
    if run is None:
        run = _create(target, record, folder)
    state.run_id = run.info.run_id
    state.problem = None
    if run.info.lifecycle_stage != "active":  # the user deleted it in MLflow: leave it deleted
        return _finish(folder, before, state, False)
    points = read_points(folder)
    sent = _send_description(target, run, record, points)
    sent |= _send_points(target, record, points, state)
    sent |= _send_later(target, folder, record, points, state)
    ended = record.status != "running"
    state.resumed |= bool(before.ended) and not ended
    if ended and settings.artifacts == "all":
        sent |= _send_pages(target, folder, state)
    if ended and (state.status, state.ended) != (record.status, record.ended or ""):
        write_state(folder, state)  # a large upload may fail; the points need not be sent again
        _send_end(target, state, folder, record, points, settings)
        state.artifacts = settings.artifacts != "none"
    elif not ended and run.info.status != "RUNNING":  # resumed
        target.client.update_run(run.info.run_id, status="RUNNING")
    state.status, state.ended = record.status, record.ended or ""
    outcome = _finish(folder, before, state, sent)
    return "created" if created else outcome


def _finish(folder: Path, before: MirrorState, state: MirrorState, sent: bool) -> str:
    if state != before:
        write_state(folder, state)
    return "updated" if sent or state != before else "unchanged"


def _matching_state(state: MirrorState, record: RunRecord, target: MlflowTarget) -> MirrorState:
    """Return the state if it belongs to this attempt of the run in this MLflow, else an empty one."""
    if (state.uri, state.experiment, state.started) == (target.uri, target.experiment, record.started):
        return state
    return MirrorState(uri=target.uri, experiment=target.experiment, started=record.started)


def _find(target: MlflowTarget, record: RunRecord, state: MirrorState) -> Run | None:
    """Return the mirror of the run, by its id, else by its tags, so that losing mlflow.json creates no duplicate."""
    if run := target.find_run(state.run_id):
        return run
    # The store may be new: send everything again. MLflow drops equal points.
    state.points, state.points_crc, state.artifacts, state.status, state.ended = 0, 0, False, "", ""
    state.later, state.pages = 0, 0
    same = [run for run in _attempts(target, record) if run.data.tags.get("started") == record.started]
    return same[0] if same else None


def _attempts(target: MlflowTarget, record: RunRecord) -> list[Run]:
    """Return all mirrored runs of this identity: with `force=true` there is one for each attempt."""
    return list(target.client.search_runs([target.experiment_id], f"tags.identity = '{record.identity}'"))


def _create(target: MlflowTarget, record: RunRecord, folder: Path) -> Run:
    """Create the mirror of a run, and mark earlier attempts as superseded."""
    older = [run for run in _attempts(target, record) if run.data.tags.get("superseded") != "true"]
    run = target.client.create_run(
        target.experiment_id,
        start_time=milliseconds(record.started),
        tags={"identity": record.identity, "started": record.started, HOME: folder_on_host(folder)},
        run_name=name_of(record),
    )
    for old in older:
        target.client.set_tag(old.info.run_id, "superseded", "true")
        if old.info.status == "RUNNING" and old.data.tags.get(HOME) == folder_on_host(folder):
            target.client.set_terminated(old.info.run_id, "KILLED")  # its process died, or this run would wait
    return run


def _send_description(target: MlflowTarget, run: Run, record: RunRecord, points: Points) -> bool:
    """Send the params, tags and dataset that MLflow lacks; return whether there were any."""
    known_params, known_tags = run.data.params, run.data.tags
    # MLflow's params are immutable: those that differ after a resume (paths, devices) keep their first value.
    params = [item for item in translate.config_params(record) if item.key not in known_params]
    # A run of a sweep is named by sweeps.py, after the settings that vary.
    current = [tag for tag in translate.run_tags(record, points) if PARENT not in known_tags or tag.key != RUN_NAME]
    tags = [item for item in current if known_tags.get(item.key) != item.value]
    run_id = run.info.run_id
    for start in range(0, max(len(params), len(tags)), MAX_PARAMS):
        chunk = slice(start, start + MAX_PARAMS)
        target.client.log_batch(run_id, params=params[chunk], tags=tags[chunk])
    gone = translate.OPTIONAL_TAGS & known_tags.keys() - {item.key for item in current}
    for key in gone:  # an interrupted attempt had set it
        target.client.delete_tag(run_id, key)
    datasets = [] if run.inputs and run.inputs.dataset_inputs else translate.run_datasets(record)
    if datasets:
        _send_datasets(target, run_id, datasets)
    return bool(params or tags or gone or datasets)


def _send_datasets(target: MlflowTarget, run_id: str, datasets: list[DatasetInput]) -> None:
    """Send which data the run read.

    MLflow looks a dataset up and then inserts it, so when two runs start on the same data, the insert of one may fail.
    A second try finds the existing row.
    """
    from mlflow.exceptions import MlflowException

    try:
        target.client.log_inputs(run_id, datasets=datasets)
    except MlflowException:
        target.client.log_inputs(run_id, datasets=datasets)


def _send_points(target: MlflowTarget, record: RunRecord, points: Points, state: MirrorState) -> bool:
    """Send the curves in the new lines of metrics.jsonl; return whether there were new points."""
    if points.crc(state.points) != state.points_crc or state.points > len(points.lines):
        state.points, state.resumed = 0, True  # back at its checkpoint, it wrote other lines
    new = points.parsed(state.points)
    (target.log_again if state.resumed else target.log_metrics)(state.run_id, translate.curve_metrics(record, new))
    state.points, state.points_crc = len(points.lines), points.crc(len(points.lines))
    return bool(new)


def _send_later(
    target: MlflowTarget, folder: Path, record: RunRecord, points: Points, state: MirrorState
) -> bool:  # fmt: skip
    """Send what was measured after the run, if it changed; return whether it did."""
    values = read_added(folder, record.started)
    checksum = zlib.crc32(repr(sorted(values.items())).encode()) if values else 0
    if checksum == state.later:
        return False
    target.log_metrics(state.run_id, translate.later_metrics(record, points, values))
    state.later = checksum
    return True


def _send_pages(target: MlflowTarget, folder: Path, state: MirrorState) -> bool:
    """Send the files that were written after the run, if they changed; return whether they did."""
    files = translate.later_files(folder)
    checksum = zlib.crc32(b"".join(path.read_bytes() for path, _ in files)) if files else 0
    if checksum == state.pages:
        return False
    for path, place in files:
        target.client.log_artifact(state.run_id, str(path), place)
    state.pages = checksum
    return True


def _send_end(
    target: MlflowTarget, state: MirrorState, folder: Path, record: RunRecord, points: Points, settings: TrackerSettings
) -> None:
    """Send the final values, headline metrics first, then the files, and last the final status."""
    run_id = state.run_id
    target.log_metrics(run_id, translate.headline_metrics(record, points))
    (target.log_again if state.resumed else target.log_metrics)(run_id, translate.detail_points(record, points))
    target.log_metrics(run_id, translate.detail_metrics(record, points))
    if settings.artifacts != "none":
        text = (folder / RECORD).read_text(encoding="utf-8")
        target.client.log_text(run_id, mask(text), f"{translate.BELOW}/{RECORD}")
    if settings.artifacts == "all":
        later = translate.later_files(folder)
        for path, place in (file for file in translate.artifact_files(folder) if file not in later):
            target.client.log_artifact(run_id, str(path), place)
        if (folder / "model").is_dir():
            target.client.log_artifacts(run_id, str(folder / "model"), f"{translate.BELOW}/model")
    target.client.set_terminated(run_id, MLFLOW_STATUS[record.status], end_time=milliseconds(record.ended))
