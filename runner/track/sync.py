"""Mirror run folders to MLflow: the only place that writes to it.

`sync` sends what is new and nothing twice, so it may be called at any time, after any failure, by several
processes. Its order matters: the terminal status comes last, so a run shown as finished is complete.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.sanitize import mask
from runner.track import translate as content
from runner.track.connection import MlflowTarget, connect, explain_mlflow_error
from runner.track.environment import set_mlflow_environment
from runner.track.errors import TrackError
from runner.track.folder import (
    RECORD,
    MirrorState,
    Points,
    milliseconds,
    note_problem,
    read_points,
    read_record,
    read_state,
    remove_partial_state,
    write_state,
)
from runner.track.settings import TrackerSettings
from runner.track.sweeps import HOME, folder_on_host

if TYPE_CHECKING:
    from mlflow.entities import Run

STATUS = {"running": "RUNNING", "done": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
LOCK = ".mlflow.lock"
LOCK_TIMEOUT_S = 60.0
MAX_METRICS = 1000  # of one log_batch call, mlflow's limit
MAX_PARAMS = 100  # likewise, for params and for tags


def sync_run(folder: Path, settings: TrackerSettings, target: MlflowTarget | None = None) -> str:
    """Bring MLflow up to date with a run folder; return "created", "updated" or "unchanged".

    target: from `connect`, to open it once for many folders; by default the embedded store is their neighbour.
    Raises TrackError with one line for the user; the same line is kept in <folder>/mlflow.json.
    """
    set_mlflow_environment()
    import sqlalchemy
    from filelock import FileLock, Timeout
    from mlflow.exceptions import MlflowException

    record = read_record(folder)
    try:
        # A helper of a run that just ended and `run sync` may meet here.
        with FileLock(folder / LOCK, timeout=LOCK_TIMEOUT_S):
            remove_partial_state(folder)
            target = target or connect(settings, folder.parent)
            return _sync(folder, record, settings, target)
    except (TrackError, MlflowException, OSError, Timeout, sqlalchemy.exc.SQLAlchemyError) as error:
        reason = (
            str(error) if isinstance(error, TrackError) else explain_mlflow_error(error, target.uri if target else "")
        )
        note_problem(folder, reason)
        raise TrackError(reason) from error


def _sync(folder: Path, record: dict[str, Any], settings: TrackerSettings, target: MlflowTarget) -> str:
    state = _matching_state(read_state(folder), record, target)
    before = replace(state)
    run = _find(target, record, state)
    created = run is None
    if run is None:
        run = _create(target, record, folder)
    state.run_id = run.info.run_id
    state.problem = None
    if run.info.lifecycle_stage != "active":  # the user deleted it in MLflow and meant it
        return _finish(folder, before, state, False)
    points = read_points(folder)
    sent = _send_description(target, run, record, points)
    sent |= _send_points(target, points, state)
    ended = record["status"] != "running"
    if ended and (state.status, state.ended) != (record["status"], record.get("ended") or ""):
        write_state(folder, state)  # a large upload may fail; the points need not be sent again
        _send_end(target, state.run_id, folder, record, points, settings)
        state.artifacts = settings.artifacts != "none"
    elif not ended and run.info.status != "RUNNING":  # resumed
        target.client.update_run(run.info.run_id, status="RUNNING")
    state.status, state.ended = record["status"], record.get("ended") or ""
    outcome = _finish(folder, before, state, sent)
    return "created" if created else outcome


def _finish(folder: Path, before: MirrorState, state: MirrorState, sent: bool) -> str:
    if state != before:
        write_state(folder, state)
    return "updated" if sent or state != before else "unchanged"


def _matching_state(state: MirrorState, record: dict[str, Any], target: MlflowTarget) -> MirrorState:
    """Return the state if it is about this attempt of the run in this MLflow, else an empty one."""
    here = (target.uri, target.experiment, record["started"])
    if (state.uri, state.experiment, state.started) == here:
        return state
    return MirrorState(uri=target.uri, experiment=target.experiment, started=record["started"])


def _find(target: MlflowTarget, record: dict[str, Any], state: MirrorState) -> Run | None:
    """Return the run's mirror: by its id, else by its tags, so that a lost mlflow.json makes no duplicate."""
    if run := target.find(state.run_id):
        return run
    # Nothing is known to be there, the store may be new: all is sent again (MLflow drops equal points).
    state.points, state.points_crc, state.artifacts, state.status, state.ended = 0, 0, False, "", ""
    same = [run for run in _attempts(target, record) if run.data.tags.get("started") == record["started"]]
    return same[0] if same else None


def _attempts(target: MlflowTarget, record: dict[str, Any]) -> list[Run]:
    """Return all mirrored runs of this identity: with `force=true` there is one for each time it was run."""
    return list(target.client.search_runs([target.experiment_id], f"tags.identity = '{record['identity']}'"))


def _create(target: MlflowTarget, record: dict[str, Any], folder: Path) -> Run:
    older = [run for run in _attempts(target, record) if run.data.tags.get("superseded") != "true"]
    run = target.client.create_run(
        target.experiment_id,
        start_time=milliseconds(record["started"]),
        tags={"identity": record["identity"], "started": record["started"], HOME: folder_on_host(folder)},
        run_name=content.run_name(record),
    )
    for old in older:
        target.client.set_tag(old.info.run_id, "superseded", "true")
        if old.info.status == "RUNNING" and old.data.tags.get(HOME) == folder_on_host(folder):
            target.client.set_terminated(old.info.run_id, "KILLED")  # its process died, else this one had waited
    return run


def _send_description(target: MlflowTarget, run: Run, record: dict[str, Any], points: Points) -> bool:
    """Send the params, tags and data set that MLflow lacks; return whether there were any."""
    known_params, known_tags = run.data.params, run.data.tags
    # MLflow's params are immutable: those that differ after a resume (paths, devices) keep their first value.
    params = [item for item in content.config_params(record) if item.key not in known_params]
    current = content.run_tags(record, points)
    tags = [item for item in current if known_tags.get(item.key) != item.value]
    run_id = run.info.run_id
    for start in range(0, max(len(params), len(tags)), MAX_PARAMS):
        chunk = slice(start, start + MAX_PARAMS)
        target.client.log_batch(run_id, params=params[chunk], tags=tags[chunk])
    gone = content.SOMETIMES & known_tags.keys() - {item.key for item in current}
    for key in gone:  # what an interrupted attempt had said of its end
        target.client.delete_tag(run_id, key)
    datasets = [] if run.inputs and run.inputs.dataset_inputs else content.run_datasets(record)
    if datasets:
        target.client.log_inputs(run_id, datasets=datasets)
    return bool(params or tags or gone or datasets)


def _send_points(target: MlflowTarget, points: Points, state: MirrorState) -> bool:
    """Send the lines of metrics.jsonl that are new; return whether there were any."""
    if points.crc(state.points) != state.points_crc or state.points > len(points.lines):
        state.points = 0  # a resumed run went back to its checkpoint and wrote other lines
    new = points.parsed(state.points)
    _log_metrics(target, state.run_id, content.point_metrics(new))
    state.points, state.points_crc = len(points.lines), points.crc(len(points.lines))
    return bool(new)


def _log_metrics(target: MlflowTarget, run_id: str, metrics: list[Any]) -> None:
    for start in range(0, len(metrics), MAX_METRICS):
        target.client.log_batch(run_id, metrics=metrics[start : start + MAX_METRICS])


def _send_end(
    target: MlflowTarget,
    run_id: str,
    folder: Path,
    record: dict[str, Any],
    points: Points,
    settings: TrackerSettings,
) -> None:
    """Send the final values, the files and, last of all, the terminal status."""
    _log_metrics(target, run_id, content.final_metrics(record, points))
    if settings.artifacts != "none":
        text = (folder / RECORD).read_text(encoding="utf-8")
        target.client.log_text(run_id, mask(text), RECORD)
    if settings.artifacts == "all":
        for path in content.artifact_files(folder):
            target.client.log_artifact(run_id, str(path))
        if (folder / "model").is_dir():
            target.client.log_artifacts(run_id, str(folder / "model"), "model")
    target.client.set_terminated(run_id, STATUS[record["status"]], end_time=milliseconds(record.get("ended")))
