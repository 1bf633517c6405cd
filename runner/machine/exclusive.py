"""Shares this machine among the runs of one cache: they train in parallel; while one is timed, all others pause.

Two file locks of the kernel are used, which a process that dies releases at once. `work.lock` is shared by all active
processes, and held exclusively by one that measures. `turn.lock` announces a measurement: a process that wants to
measure takes it first; all others check it between two steps and pause while it is taken. A check costs 2 us.

    exclusive = Exclusive()
    exclusive.enter(cache)                              # when a run begins
    exclusive.yield_to_timing()                         # between two steps
    with exclusive.exclusive_timing(notify): ...        # all others pause
    with exclusive.waiting(): ...                       # while waiting for another process: not active
    exclusive.clock()                                   # a run's own time, without its pauses
    exclusive.exit()
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PATIENCE_S = 180.0  # s; a process that does not pause within that time has been stopped or hangs
QUIET_S = 3.0  # seconds of waiting after which the user is told why nothing happens
POLL_S = 0.01


class _Locks:
    """This process's handles on the two locks of a folder; it is active from now on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.turn, self.work = (os.open(folder / name, flags, 0o600) for name in ("turn.lock", "work.lock"))
        fcntl.flock(self.work, fcntl.LOCK_SH)

    def close(self) -> None:
        """Release both locks: this process is no longer active."""
        os.close(self.turn)
        os.close(self.work)

    def is_taken(self) -> bool:
        """Does another process measure times, or wait to do so?"""
        try:
            fcntl.flock(self.turn, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self.turn, fcntl.LOCK_UN)
        return False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Be inactive within the block, and afterwards as long as another process measures; Ctrl-C ends the wait."""
        fcntl.flock(self.work, fcntl.LOCK_UN)
        yield
        fcntl.flock(self.turn, fcntl.LOCK_SH)
        fcntl.flock(self.turn, fcntl.LOCK_UN)
        fcntl.flock(self.work, fcntl.LOCK_SH)

    @contextmanager
    def alone(self, notify: Callable[[str], None]) -> Iterator[None]:
        """Run the block while all others pause; if one does not pause within PATIENCE_S, say so and run it anyway."""
        # Inactive while waiting: otherwise two processes that want to measure would wait for each other.
        fcntl.flock(self.work, fcntl.LOCK_UN)
        _take(self.turn, math.inf, notify, "waiting: another run is being timed")
        try:
            if not _take(self.work, PATIENCE_S, notify, "waiting for other runs to pause, at most three minutes"):
                notify("timing while another run is active, which has not paused for three minutes: expect noise")
            yield
        finally:
            fcntl.flock(self.turn, fcntl.LOCK_UN)
            fcntl.flock(self.work, fcntl.LOCK_SH)


def _take(lock: int, most_s: float, notify: Callable[[str], None], why: str) -> bool:
    """Take a lock exclusively; False if others hold it for `most_s` seconds. `why` is printed once, after QUIET_S."""
    begun, is_told = time.monotonic(), False
    while (waited := time.monotonic() - begun) < most_s:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(POLL_S)
        if not is_told and waited > QUIET_S:
            notify(why)
            is_told = True
    return False


class Exclusive:
    """One process among those that share a machine, with a clock of its own.

    Before `enter`, after `exit`, and on a system without such locks, nothing is paused.
    """

    def __init__(self) -> None:
        self._locks: _Locks | None = None
        self._stood_s = 0.0

    def enter(self, cache: Path) -> None:
        """Be active in that cache until `exit`; does nothing if this process is active already."""
        if sys.platform != "win32" and self._locks is None:
            self._locks = _Locks(cache.expanduser())

    def exit(self) -> None:
        """Be active no longer."""
        if self._locks is not None:
            self._locks.close()
            self._locks = None

    def yield_to_timing(self) -> None:
        """Pause while another process measures times; called between two steps."""
        if self._locks is not None and self._locks.is_taken():
            with self.waiting():
                pass

    @contextmanager
    def exclusive_timing(self, notify: Callable[[str], None]) -> Iterator[None]:
        """Run the block, which measures times, while all other processes of the cache pause."""
        if self._locks is None:
            yield
            return
        began = time.perf_counter()
        with self._locks.alone(notify):
            self._stood_s += time.perf_counter() - began
            yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Be inactive within the block: a process that waits for another must not delay a third one that measures."""
        began = time.perf_counter()
        with self._locks.waiting() if self._locks is not None else nullcontext():
            yield
        self._stood_s += time.perf_counter() - began

    def clock(self) -> float:
        """Return the reading, in seconds, of a clock that stands still while this process pauses for others."""
        return time.perf_counter() - self._stood_s
