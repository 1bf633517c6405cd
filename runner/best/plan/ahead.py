"""Estimates encoders in another process while the plan estimates the other candidates; both use the same cache.

    with encoders_ahead(settings, words, budget):
        plan = make_plan(settings, words, budget)

The plan is the same without it; with it, planning takes two thirds of the time on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from runner.best.plan.make import estimate_encoders, measured_rates
from runner.best.types import Budget
from runner.machine.facts import usable_cores
from runner.machine.forked import compute_forked, computed_in_background
from runner.schema import Settings


@contextmanager
def encoders_ahead(settings: Settings, words: Sequence[str], budget: Budget) -> Iterator[None]:
    """Estimate the encoders in a forked process until the block ends; the plan estimates those that fail there itself.

    Only on two cores or more, for a search with a clock and without a cap on time: with such a cap answers are timed,
    and nothing else may run meanwhile. For the same reason the rates of this machine are measured first.
    """
    if budget.max_us is not None or budget.steps is not None or usable_cores() < 2:
        yield
        return
    compute_forked(lambda: measured_rates(settings, budget, lambda _: None))
    with computed_in_background(lambda: estimate_encoders(settings, words, budget)):
        yield
