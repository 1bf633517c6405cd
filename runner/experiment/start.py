"""Starts a run: refuses what can be refused quickly, fixes the threads, and only then loads torch.

Commands and sweeps import this module; it is light. The run itself, and everything that needs torch, is behind it.
"""

from __future__ import annotations

from pathlib import Path

from runner.experiment.context import RunContext
from runner.experiment.outcome import Outcome
from runner.machine.threads import set_threads
from runner.record.folder import check_writable
from runner.schema import Settings


def start_run(settings: Settings, overrides: list[str], context: RunContext | None = None) -> Outcome:
    """Execute one experiment, or find the finished run of the same identity; see `runner.experiment.run.run`."""
    check_writable(Path(settings.paths.output).expanduser().absolute())
    # numpy before the threads are fixed, torch after: each reads the environment once, when it is loaded, and the last
    # digits of recorded intervals depend on the threads of numpy's BLAS.
    import numpy  # noqa: F401

    set_threads(settings.train.threads or 1)

    from runner.experiment.run import run  # late: this loads torch

    return run(settings, overrides, context)
