"""The clock of a search. It decides only how many steps of a fixed list are done, and is read between steps."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Seconds since a search began, over all its attempts; setting the system clock back does not reduce them."""

    def __init__(self, before: float = 0.0, tell: Callable[[], float] = time.monotonic) -> None:
        """before: seconds of the earlier attempts. tell: returns the time now, in seconds since an arbitrary moment."""
        self.tell, self._total, self._last = tell, before, tell()

    def elapsed(self) -> float:
        """Return the seconds so far."""
        now = self.tell()
        self._total += max(0.0, now - self._last)
        self._last = now
        return self._total
