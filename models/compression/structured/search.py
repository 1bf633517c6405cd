"""Searches for sublayer widths that make the model fast enough with the smallest loss.

Structured SPDY: for given weights of the sublayers' errors, a knapsack solver with a time budget finds the widths. A
random search over these weights compares the losses of the resulting models. Sources: Frantar & Alistarh 2022, arXiv
2201.13096; IST-DASLab/spdy, spdy.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

BUCKETS = 10_000  # time buckets, as in spdy.py
STARTS = 0.2  # share of the search steps that draw all weights; the rest mutate the best ones
MUTATED = 0.1  # share of the weights that a mutation changes at first; it shrinks until only one changes


@dataclass(frozen=True)
class Choices:
    """The candidate widths of one sublayer, widest first, with their errors and times, arrays (levels,)."""

    widths: list[int]
    errors: np.ndarray  # share of the sublayer's output that is lost, 0..1
    times: np.ndarray  # ms


def ffn_widths(most: int, multiple: int) -> list[int]:
    """The candidate widths of a feed-forward sublayer: most x 0.9^i for i = 0..42, then 0 (ZipLM's grid).

    All but `most` are rounded to multiples of `multiple`, for which matrix kernels are efficient.
    """
    rounded = {max(multiple, round(most * 0.9**i / multiple) * multiple) for i in range(1, 43)}
    return [most, *sorted((width for width in rounded if width < most), reverse=True), 0]


def solve_knapsack(sublayers: Sequence[Choices], weights: np.ndarray, budget: float) -> tuple[int, ...] | None:
    """The levels with the smallest weighted error within `budget` ms; None if there are none.

    Times are rounded up to a bucket (spdy.py rounds to the nearest), so that the budget is never exceeded.
    """
    if budget <= 0:
        return None
    best = np.zeros(BUCKETS + 1)  # least error of the sublayers so far, by number of buckets used
    taken = np.zeros((len(sublayers), BUCKETS + 1), dtype=np.int16)
    for place, sublayer in enumerate(sublayers):
        steps = np.ceil(sublayer.times * (BUCKETS / budget) - 1e-9).astype(int)
        options = np.full((len(steps), BUCKETS + 1), np.inf)
        for level, step in enumerate(steps):
            if step <= BUCKETS:
                options[level, step:] = best[: BUCKETS + 1 - step] + weights[place] * sublayer.errors[level]
        taken[place] = options.argmin(0)
        best = options.min(0)
    if not np.isfinite(best[-1]):
        return None
    left, levels = BUCKETS, list[int]()
    for place in reversed(range(len(sublayers))):
        level = int(taken[place, left])
        levels.append(level)
        left -= int(np.ceil(sublayers[place].times[level] * (BUCKETS / budget) - 1e-9))
    return tuple(reversed(levels))


def search_weights(
    sublayers: Sequence[Choices], budget: float, loss: Callable[[tuple[int, ...]], float], steps: int, seed: int
) -> np.ndarray:
    """The error weights, one for each sublayer, whose solution has the smallest loss; the search starts from all 1.

    loss: of the model at these levels; called once for each distinct solution. steps: how many weight vectors to try.
    Raises ValueError if no widths are within the budget.
    """
    generator, losses = np.random.default_rng(seed), dict[tuple[int, ...], float]()

    def cost(weights: np.ndarray) -> float:
        levels = solve_knapsack(sublayers, weights, budget)
        if levels is None:
            raise ValueError(f"nothing is within {budget} ms")
        if levels not in losses:
            losses[levels] = loss(levels)
        return losses[levels]

    best = np.ones(len(sublayers))
    least = cost(best) if steps else 0.0
    for step in range(steps):
        weights = best.copy()
        share = 1.0 if step < STARTS * steps else MUTATED * (1 - step / steps)
        changed = generator.choice(len(sublayers), max(1, round(share * len(sublayers))), replace=False)
        weights[changed] = 1.0 - generator.random(len(changed))
        if (found := cost(weights)) < least:
            best, least = weights, found
    return best
