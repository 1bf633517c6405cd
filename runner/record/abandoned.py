"""Closes the records of runs whose process is gone: those with status `running` whose folder nobody holds.

The lock of a run folder is released when its process ends, in whatever way, so the lock alone shows whether the run is
alive, also from other terminals.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.record.folder import RECORD
from runner.record.json_files import now, read_json, write_json

ENDED = "its process ended unexpectedly: killed from outside, or the machine went down"
HEAD = 400  # bytes: the status is the second key of a record


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a run folder, which is made if there is none, while its record is written; wait if another process holds it.

    Otherwise the record would be taken for that of a dead process, and two writing processes would mix their files.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield


def is_held(folder: Path) -> bool:
    """Is a living process working on the run in this folder?"""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # the folder cannot be written to, so no process can be at work there
        return False
    lock.release()
    return False


def close(folder: Path, status: str = "killed", reason: str = ENDED) -> bool:
    """Close the record in a folder if its process is gone; return whether it was closed."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / ".lock", timeout=0):
            record = read_json(folder / RECORD)
            if record is None or record.get("status") != "running":
                return False
            write_json(folder / RECORD, record | {"status": status, "reason": reason, "ended": now()})
            return True
    except (Timeout, OSError):
        return False


def close_all(output: Path) -> list[Path]:
    """Close every dead run below the output folder; return the folders of those that were closed."""
    return [folder for folder in _running(output) if close(folder)]


def _running(output: Path) -> Iterator[Path]:
    """Run folders whose record says `running`, by the first bytes of each: 0.02 ms per folder."""
    if not output.is_dir():
        return
    for entry in os.scandir(output):
        try:
            with (Path(entry.path) / RECORD).open("rb") as stream:
                if b'"status": "running"' in stream.read(HEAD):
                    yield Path(entry.path)
        except OSError:
            continue
