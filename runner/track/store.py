"""The embedded MLflow store: one SQLite file, complete or absent, safe to open from many processes at once.

In MLflow every process that finds an empty database creates the tables, and two that do so at once corrupt it
permanently. So it is built once, under a lock and a temporary name, and renamed when it is complete.
"""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

from runner.record.next_step import output_words
from runner.track.environment import set_mlflow_environment
from runner.track.errors import TrackError
from runner.track.uri import ARTIFACTS, sqlite_uri

LOCK_TIMEOUT_S = 120.0  # creation takes 2 to 5 s, on an overloaded machine a minute
BUSY_TIMEOUT_S = 20.0  # mlflow's own


def ensure_store(database: Path, again: str | None = None) -> str:
    """Return the address of the store, which is created if it does not exist: 2 s the first time, 1 ms afterwards.

    again: the command that fills it from the run folders; None for a store that lies beside them.
    Raises TrackError if the folder is not writable or the file is not a usable MLflow database; an existing file is
    never replaced.
    """
    from filelock import FileLock, Timeout

    try:
        if _is_absent(database):
            database.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(database.with_name(f".{database.name}.lock"), timeout=LOCK_TIMEOUT_S):
                if _is_absent(database):
                    _create(database)
        check_store(database, again or " ".join(["run sync", *output_words(database.parent)]))
    except Timeout as error:
        raise TrackError(
            f"{database} is still being created by another process after {LOCK_TIMEOUT_S:.0f} s"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise TrackError(
            f"the MLflow store {database} cannot be written: {reason}. "
            "Try: paths.output=<a folder you may write to>, or tracker=none"
        ) from error
    return sqlite_uri(database)


def check_store(database: Path, again: str) -> None:
    """Raise TrackError if the file is not an MLflow database; mlflow itself checks the schema version.

    again: the command that fills it from the run folders.
    """
    try:
        connection = sqlite3.connect(database, timeout=BUSY_TIMEOUT_S)
        try:
            connection.execute("select version_num from alembic_version").fetchone()
            connection.execute("select experiment_id from experiments limit 1").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            raise TrackError(_unusable(database, "has no MLflow tables", again)) from error
        raise TrackError(
            f"the MLflow store {database} cannot be opened: {error}. Try: tracker.uri=sqlite:///<another file>"
        ) from error
    except sqlite3.DatabaseError as error:
        raise TrackError(_unusable(database, f"is damaged ({error})", again)) from error


def artifact_root(database: Path) -> str:
    """Return the address of the folder that holds the files of the runs in this database."""
    return (database.parent / ARTIFACTS).resolve().as_uri()


def _unusable(database: Path, what: str, again: str) -> str:
    away = shlex.join(["mv", str(database), f"{database}.broken"])
    return f"the MLflow store {database} {what}. The runs are safe in their folders. To rebuild it: {away} && {again}"


def _is_absent(database: Path) -> bool:
    # A bare sqlite3.connect leaves an empty file behind, which may be replaced.
    return not database.exists() or database.stat().st_size == 0


def _create(database: Path) -> None:
    """Build the database under a temporary name, then rename it. The caller holds the lock."""
    part = database.with_name(database.name + ".part")
    _remove(part)  # a killed process may have left it behind
    try:
        _write_schema(part, artifact_root(database))
        connection = sqlite3.connect(part)
        try:
            # Stored in the file: writers do not block readers, and a run that logs a lot takes a third of the time.
            connection.execute("pragma journal_mode=wal")
            connection.execute("pragma wal_checkpoint(truncate)")
        finally:
            connection.close()
        _remove(database)
        part.replace(database)
    except sqlite3.Error as error:
        raise TrackError(f"the MLflow store {database} cannot be created: {error}") from error
    finally:
        _remove(part)


def _write_schema(part: Path, root: str) -> None:
    set_mlflow_environment()
    import sqlalchemy
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    try:
        store = SqlAlchemyStore(sqlite_uri(part), root)
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error  # without the SQL and its values
        raise OSError(f"mlflow could not create its tables: {reason}") from error
    store.engine.dispose()


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
