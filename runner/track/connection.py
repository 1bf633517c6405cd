"""Opens MLflow: the store or server, and the experiment in it. Not used in a run's process: the import is slow."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from runner.sanitize import HIDDEN, mask
from runner.track.environment import set_mlflow_environment
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.store import artifact_root, ensure_store
from runner.track.sync_command import sync_command
from runner.track.uri import is_server, resolve_uri, split_credentials, sqlite_path

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Metric, Run
    from mlflow.tracking.client import MlflowClient


MLFLOW_STATUS = {"running": "RUNNING", "done": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
MAX_METRICS = 1000  # in one log_batch call, MLflow's limit


@dataclass
class MlflowTarget:
    """An open MLflow: the store and the experiment that runs are written to."""

    client: MlflowClient
    experiment_id: str
    experiment: str
    uri: str  # credentials masked

    def log_metrics(self, run_id: str, metrics: list[Metric]) -> None:
        """Send any number of metrics of a run, in batches that MLflow accepts."""
        for start in range(0, len(metrics), MAX_METRICS):
            self.client.log_batch(run_id, metrics=metrics[start : start + MAX_METRICS])

    def log_again(self, run_id: str, points: list[Metric]) -> None:
        """Send the points that the run does not have yet, by step and value: a resumed run logs some at other times."""
        names = {point.key for point in points}
        there = {(name, old.step, old.value) for name in names for old in self.client.get_metric_history(run_id, name)}
        self.log_metrics(run_id, [point for point in points if (point.key, point.step, point.value) not in there])

    def find_run(self, run_id: str) -> Run | None:
        """Return the MLflow run with that id; None for an empty id and for a run that does not exist."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_run(run_id) if run_id else None
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None


def connect(settings: TrackerSettings, output: Path) -> MlflowTarget:
    """Open MLflow; the embedded store and the experiment are created if they do not exist.

    Sets environment variables of mlflow (timeouts, server credentials) in this process.
    Raises TrackError: within about 15 s if a server is unreachable, 40 s if it accepts but never replies.
    """
    set_mlflow_environment()
    uri = resolve_uri(settings, output)
    database = sqlite_path(uri)
    if database is not None:
        ensure_store(database, sync_command(settings, output))
    address = _take_credentials(uri) if is_server(uri) else uri
    experiment = _experiment(address, settings.experiment, artifact_root(database) if database else None)
    from mlflow.tracking.client import MlflowClient

    client = MlflowClient(tracking_uri=address, registry_uri=address)
    return MlflowTarget(client, experiment, settings.experiment, mask(uri))


def _take_credentials(uri: str) -> str:
    """Move user and password from the address to the variables that mlflow reads, so that no message shows them."""
    address, user, password = split_credentials(uri)
    if user is not None and user != HIDDEN:  # in a record they are masked: those of the environment count
        os.environ["MLFLOW_TRACKING_USERNAME"] = user
        os.environ["MLFLOW_TRACKING_PASSWORD"] = password or ""
    return address


def _experiment(uri: str, name: str, root: str | None) -> str:
    """Return the id of the experiment, created if needed; a local store keeps its files next to its database."""
    import sqlalchemy
    from mlflow.exceptions import MlflowException
    from mlflow.tracking.client import MlflowClient

    location = f"{root}/{quote(name, safe='')}" if root else None
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(client.create_experiment(name, artifact_location=location))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was quicker
                    raise
                found = client.get_experiment_by_name(name)
        return _active(found, name)
    except (MlflowException, OSError, ImportError, ValueError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise TrackError(explain_mlflow_error(error, uri)) from error


def _active(found: Experiment | None, name: str) -> str:
    if found is None or found.lifecycle_stage != "active":
        raise TrackError(
            f"the MLflow experiment '{name}' was deleted. Try: tracker.experiment=<another name>, "
            "or restore it with: mlflow experiments restore"
        )
    return str(found.experiment_id)


def explain_mlflow_error(error: BaseException, uri: str = "") -> str:
    """Return one line on why MLflow could not be used, with a remedy if one is known; credentials are masked."""
    text = " ".join(mask(str(error)).split()).partition(" [SQL: ")[0]
    if isinstance(error, ModuleNotFoundError):  # the driver of a database
        return f"the MLflow store {mask(uri)} needs the package {error.name}. Try: pip install {error.name}"
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return (
            f"the MLflow store was made by another version of mlflow. Try: mlflow db upgrade {shlex.quote(mask(uri))}, "
            "or after a newer version: pip install --upgrade mlflow"
        )
    if "Max retries exceeded" in text or "Failed to establish" in text or "timed out" in text:
        return f"no answer from the MLflow server {mask(uri)}".rstrip()
    return text[:500] or type(error).__name__
