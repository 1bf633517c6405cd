"""Who may use the machine: trainings side by side, a stage that times alone. Between all processes of one cache.

Two file locks of the kernel, so whoever dies gives way at once. `work` is shared by everybody at work and taken alone
by whoever times; `turn` is a turnstile: it is taken first by whoever wants to be alone, and everybody at work looks at
it between two steps and steps aside while it is taken. Looking costs 2 us.

    join(cache)                 # when a run begins
    give_way()                  # between steps
    with alone(notify): ...     # everybody else stands still
    with waiting(): ...         # for another process: not at work
    clock()                     # a run's own time, without what it stood still
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PATIENCE_S = 180.0  # a neighbour that does not step aside for so long is stopped or hangs
POLL_S = 0.01


class Turns:
    """This process's handles on the two locks."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.turn, self.work = (os.open(folder / name, flags, 0o600) for name in ("turn.lock", "work.lock"))
        fcntl.flock(self.work, fcntl.LOCK_SH)

    def give_way(self) -> float:
        """Stand still while somebody times or waits to; the seconds that took."""
        try:
            fcntl.flock(self.turn, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._stand_aside()
        fcntl.flock(self.turn, fcntl.LOCK_UN)
        return 0.0

    def _stand_aside(self) -> float:
        began = time.perf_counter()
        with self.waiting():
            pass
        return time.perf_counter() - began

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Not at work for a block, and afterwards not before whoever times is done; Ctrl-C in it waits for nobody."""
        fcntl.flock(self.work, fcntl.LOCK_UN)
        yield
        fcntl.flock(self.turn, fcntl.LOCK_SH)
        fcntl.flock(self.turn, fcntl.LOCK_UN)
        fcntl.flock(self.work, fcntl.LOCK_SH)

    @contextmanager
    def alone(self, notify: Callable[[str], None]) -> Iterator[None]:
        """Have the machine alone for a block; after PATIENCE_S of waiting go on with company, and say so."""
        # Not at work while waiting: else two who want to be alone would wait for each other.
        fcntl.flock(self.work, fcntl.LOCK_UN)
        fcntl.flock(self.turn, fcntl.LOCK_EX)
        try:
            if not self._wait_for_all():
                notify("timing beside another run, which has not stood still for three minutes: expect noise")
            yield
        finally:
            fcntl.flock(self.turn, fcntl.LOCK_UN)
            fcntl.flock(self.work, fcntl.LOCK_SH)

    def _wait_for_all(self) -> bool:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                fcntl.flock(self.work, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                time.sleep(POLL_S)
        return False


_here: Turns | None = None
_stood_s = 0.0  # of this process


def join(cache: Path) -> None:
    """Count this process among those at work; nothing happens where the system has no such locks."""
    global _here
    if sys.platform != "win32" and _here is None:
        _here = Turns(cache.expanduser())


def leave() -> None:
    """No longer at work."""
    global _here
    if _here is not None:
        os.close(_here.turn)
        os.close(_here.work)
        _here = None


def give_way() -> None:
    """Between two steps: stand still while another process times."""
    global _stood_s
    if _here is not None:
        _stood_s += _here.give_way()


@contextmanager
def alone(notify: Callable[[str], None]) -> Iterator[None]:
    """Have the machine alone for a block."""
    global _stood_s
    if _here is None:
        yield
        return
    began = time.perf_counter()
    with _here.alone(notify):
        _stood_s += time.perf_counter() - began
        yield


@contextmanager
def waiting() -> Iterator[None]:
    """Not at work for a block: who only waits for another process must not keep it from having the machine alone."""
    global _stood_s
    began = time.perf_counter()
    with _here.waiting() if _here is not None else nullcontext():
        yield
    _stood_s += time.perf_counter() - began


def clock() -> float:
    """Seconds of this process at work: standing still for others is not counted."""
    return time.perf_counter() - _stood_s
