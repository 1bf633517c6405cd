"""Estimates encoders in a process of its own while the plan estimates the other candidates; the cache joins the two.

    with encoders_ahead(settings, words, budget):
        plan = make_plan(settings, words, budget)

A plan is the same without it. It takes two thirds of the time on two cores.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

from runner.best.aside import compute_aside
from runner.best.plan.make import estimate_encoders, measured_rates
from runner.best.types import Budget
from runner.machine.facts import usable_cores
from runner.schema import Settings


@contextmanager
def encoders_ahead(settings: Settings, words: Sequence[str], budget: Budget) -> Iterator[None]:
    """Estimate the encoders in a forked process (not on Windows) until the block ends.

    Only on two cores or more, and not with a cap on time, for which answers are timed and nothing else may run. The
    rates of this machine are measured before, too.
    """
    if budget.max_us is not None or budget.steps is not None or usable_cores() < 2 or sys.platform == "win32":
        yield
        return
    compute_aside(lambda: measured_rates(settings, budget, lambda _: None))
    child = os.fork()
    if child == 0:
        _estimate(settings, words, budget)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def _estimate(settings: Settings, words: Sequence[str], budget: Budget) -> NoReturn:
    """Estimate, quietly, and exit. The plan reports whatever fails here, as it then estimates that candidate itself."""
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # leaves through `with`, which removes temporary files
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        estimate_encoders(settings, words, budget)
    finally:
        os._exit(0)  # a forked copy must never return into the caller's code
