"""Lets one process at a time work on a run: it holds a lock in the run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from runner.errors import ConfigError
from runner.experiment.context import Busy
from runner.experiment.prepared import PreparedRun
from runner.experiment.stage_plan import stage_plan
from runner.machine.exclusive import Exclusive
from runner.record.folder import read_record
from runner.training.checkpoint import find_resume_point


@contextmanager
def claim(folder: Path, notify: Callable[[str], None], exclusive: Exclusive, *, is_patient: bool) -> Iterator[None]:
    """Hold the run folder: the same command in a second terminal waits and then finds the finished run.

    is_patient: wait for the other process; else raise Busy. Raises ConfigError if the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"paths.output: {folder} cannot be made: {error.strerror}. Try: paths.output=...") from error
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not is_patient:
            raise Busy(folder.name) from None
        notify(f"run {folder.name} is running in another process; waiting for it")
        with exclusive.waiting():
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def require_progress(prepared: PreparedRun) -> None:
    """Raise ConfigError if resume=must finds neither a finished run nor a checkpoint to resume from.

    A chain of several stages passes: its earlier stages are separate runs, each of which is checked when it starts.
    """
    if len(stage_plan(prepared.settings)) > 1:
        return
    found = read_record(prepared.folder)
    is_done = found is not None and found.status == "done"
    if not is_done and (found is None or find_resume_point(prepared.folder, prepared.identity) is None):
        raise ConfigError(
            f"resume=must: {prepared.folder} has nothing that this run could continue from. Try: resume=auto, or the "
            "paths.output of the interrupted run"
        )
