"""One attempt to mirror a folder: takes its lock, opens MLflow, and turns every failure into one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runner.track.connection import MlflowTarget, connect, explain_mlflow_error
from runner.track.environment import set_mlflow_environment
from runner.track.errors import TrackError
from runner.track.folder import note_problem, remove_partial_state
from runner.track.settings import TrackerSettings

LOCK = ".mlflow.lock"
LOCK_TIMEOUT_S = 60.0


def attempt(
    folder: Path,
    output: Path,
    settings: TrackerSettings,
    target: MlflowTarget | None,
    send: Callable[[MlflowTarget], str],
) -> str:
    """Call `send` under the mirror lock of the folder, and return its result.

    output: the folder of the embedded store. target: None to open MLflow here.
    Raises TrackError with one line for the user, which is kept in <folder>/mlflow.json as well.
    """
    set_mlflow_environment()
    import sqlalchemy
    from filelock import FileLock, Timeout
    from mlflow.exceptions import MlflowException

    try:
        # The helper process of a run that just ended and `run sync` may compete for this lock.
        with FileLock(folder / LOCK, timeout=LOCK_TIMEOUT_S):
            remove_partial_state(folder)
            target = target or connect(settings, output)
            return send(target)
    except (TrackError, MlflowException, OSError, ValueError, Timeout, sqlalchemy.exc.SQLAlchemyError) as error:
        uri = target.uri if target else ""
        reason = str(error) if isinstance(error, TrackError) else explain_mlflow_error(error, uri)
        note_problem(folder, reason)
        raise TrackError(reason) from error
