"""A folder of the shared cache that is made once for all processes: under a lock, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
# Entered while another process has the lock: in it, runner/machine/exclusive.py steps aside from whoever wants to
# time alone.
waiting: Callable[[], AbstractContextManager[None]] = nullcontext


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with waiting():
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def open_or_build(
    path: Path,
    read: Callable[[Path], Found | None],
    build: Callable[[Path], None],
    *,
    damaged: str,
    notify: Callable[[str], None] | None,
) -> Found:
    """What `read` finds in the folder `path`; where that is nothing, `build` fills a folder that then takes its place.

    damaged: what is said when the folder is there and `read` answers None. A killed build leaves nothing that looks
    whole, and the next one clears it away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f"{path.name}.lock")):
        if path.is_dir():
            found = read(path)
            if found is not None:
                return found
            if notify:
                notify(damaged)
            shutil.rmtree(path)
        part = path.with_name(f"{path.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            build(part)
            part.replace(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    found = read(path)
    assert found is not None, "a folder just written must open"
    return found


def checksum(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
