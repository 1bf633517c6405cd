"""The cache that all runs share: each entry is a folder that is built once under a lock and never visible half-built.

cache = SharedCache(Path("~/.cache/bertier").expanduser(), notify=print)
cache.open_or_build(cache.folder / "tokens" / key, read, build, damaged="...")
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
Notify = Callable[[str], None] | None
Waiting = Callable[[], AbstractContextManager[None]]


@contextmanager
def locked(path: Path, waiting: Waiting = nullcontext) -> Iterator[None]:
    """Hold the lock file `path`.

    waiting: a context entered while another process holds the lock, so that a run can yield to one that measures times.
    """
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


@dataclass(frozen=True)
class SharedCache:
    """The cache folder, and what this process does while it builds an entry or waits for another process to do so."""

    folder: Path
    notify: Notify = None  # called with messages on what is built and what was damaged
    waiting: Waiting = nullcontext  # as in `locked`

    def tell(self, text: str) -> None:
        """Pass on a line for the user."""
        if self.notify:
            self.notify(text)

    def locked(self, path: Path) -> AbstractContextManager[None]:
        """Hold the lock file `path`."""
        return locked(path, self.waiting)

    def open_or_build(
        self, path: Path, read: Callable[[Path], Found | None], build: Callable[[Path], None], *, damaged: str
    ) -> Found:
        """Return what `read` finds in the folder `path`, building it first if it is missing or damaged.

        read: returns None for a damaged folder; damaged: the message to the user in that case. `build` fills a
        temporary folder that is renamed to `path` when complete, so a killed build leaves nothing that looks finished.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.locked(path.with_name(f"{path.name}.lock")):
            if path.is_dir():
                found = read(path)
                if found is not None:
                    return found
                self.tell(damaged)
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
