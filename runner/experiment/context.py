"""The circumstances of a run: alone in its process by default, or one of a sweep, or a trial of a search.

The command or the sweep's worker makes a RunContext and passes it to the run, which hands it on to the runs that it
makes first. Light: no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.machine.exclusive import Exclusive
from runner.track.settings import TrackerSettings
from runner.tune.trial_pruning import Watch


class Busy(Exception):
    """Another process works on the same run, and this one was told not to wait for it."""


class RunMirror(Protocol):
    """Mirrors run folders to the tracker: a helper process of the run, or the sweep's one for all of its runs."""

    def request(self, folder: Path) -> None:
        """Ask for the folder to be mirrored in its present state; returns at once."""
        ...

    def close(self, timeout_s: float, /) -> str | None:
        """Wait for the mirror at most so long; returns one line for the user where there is a problem."""
        ...


@dataclass(frozen=True)
class RunContext:
    """The circumstances of one run."""

    jobs: int = 1  # runs side by side, which share the cores
    is_patient: bool = True  # wait for another process that works on the same run; else raise Busy
    # Makes the mirror of the run folders; None: the run starts a helper process of its own.
    mirror: Callable[[TrackerSettings, Path], RunMirror | None] | None = None
    # Called after each epoch but the last with the selection metric; may end the run by raising Pruned.
    watch: Watch | None = None
    # Shares the machine with other runs; its clock leaves out the time that the run was paused for them.
    exclusive: Exclusive = field(default_factory=Exclusive)
    is_quiet: bool = False  # say nothing on the terminal
