"""What a run is told about the process it finds itself in: alone by default, or one of a sweep.

A sweep's worker sets `here` before its run begins. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from runner.track.mirror import Mirror
    from runner.track.settings import TrackerSettings


class Busy(Exception):
    """Another process is at this very run, and this one was told not to wait for it."""


@dataclass
class Surroundings:
    """What is different in a sweep."""

    jobs: int = 1  # runs side by side, which share the cores
    is_patient: bool = True  # wait for another process at this very run; else raise Busy
    # Who mirrors the run folders; None: a helper of the run's own.
    mirror: Callable[[TrackerSettings, Path], Mirror | None] | None = None


here = Surroundings()
