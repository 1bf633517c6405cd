"""Opening MLflow: the store or server, and the experiment in it. Not for a run's own process: slow import."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from runner.sanitize import mask
from runner.track.environment import set_mlflow_environment
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.store import artifact_root, ensure_store
from runner.track.uri import is_server, resolve_uri, split_credentials, sqlite_path

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run
    from mlflow.tracking.client import MlflowClient


@dataclass
class MlflowTarget:
    """An open MLflow: where runs are written to."""

    client: MlflowClient
    experiment_id: str
    experiment: str
    uri: str  # credentials masked

    def find(self, run_id: str) -> Run | None:
        """The run of that id; None for no id and for a run that is not there."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_run(run_id) if run_id else None
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None


def connect(settings: TrackerSettings, output: Path) -> MlflowTarget:
    """Return the open target, with the embedded store and the experiment created if need be.

    Sets environment variables of mlflow (patience, server credentials) in this process.
    Raises TrackError, within about 15 s if a server does not answer (40 s if it accepts and stays silent).
    """
    set_mlflow_environment()
    uri = resolve_uri(settings, output)
    database = sqlite_path(uri)
    if database is not None:
        ensure_store(database)
    address = _take_credentials(uri) if is_server(uri) else uri
    experiment = _experiment(address, settings.experiment, artifact_root(database) if database else None)
    from mlflow.tracking.client import MlflowClient

    client = MlflowClient(tracking_uri=address, registry_uri=address)
    return MlflowTarget(client, experiment, settings.experiment, mask(uri))


def _take_credentials(uri: str) -> str:
    """Move user and password from the address to the variables mlflow reads: no message repeats them."""
    address, user, password = split_credentials(uri)
    if user is not None:
        os.environ["MLFLOW_TRACKING_USERNAME"] = user
        os.environ["MLFLOW_TRACKING_PASSWORD"] = password or ""
    return address


def _experiment(uri: str, name: str, root: str | None) -> str:
    """Return the id of the experiment, created if need be; files of a local store go beside its database."""
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
    except (MlflowException, OSError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise TrackError(explain_mlflow_error(error, uri)) from error


def _active(found: Experiment | None, name: str) -> str:
    if found is None or found.lifecycle_stage != "active":
        raise TrackError(
            f"the MLflow experiment '{name}' was deleted. Try: tracker.experiment=<another name>, "
            "or restore it with: mlflow experiments restore"
        )
    return str(found.experiment_id)


def explain_mlflow_error(error: BaseException, uri: str = "") -> str:
    """Return one line on why MLflow could not be used, with the cure where known; credentials masked."""
    text = " ".join(mask(str(error)).split())
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return f"the MLflow store was made by another mlflow version. Try: mlflow db upgrade '{mask(uri)}'"
    if "Max retries exceeded" in text or "Failed to establish" in text or "timed out" in text:
        return f"no answer from the MLflow server {mask(uri)}".rstrip()
    return text[:500] or type(error).__name__
