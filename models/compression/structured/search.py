"""Which width each half of a layer gets, so that the whole is fast enough at the smallest loss.

Structured SPDY: a knapsack over time for given weights of the halves' errors, and a random search over these weights
by the loss of the model that comes out. Sources: Frantar & Alistarh 2022, arXiv 2201.13096; IST-DASLab/spdy, spdy.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

BUCKETS = 10_000  # of time; spdy.py's number
STARTS = 0.2  # share of the search that draws all weights anew; the rest changes the best ones
MUTATED = 0.1  # share of the weights that change at first; in the end a single one does


@dataclass(frozen=True)
class Choices:
    """The widths that one half of a layer may get, widest first, with their errors and times, arrays (levels,)."""

    widths: list[int]
    errors: np.ndarray  # share of the layer's answer that is lost, 0..1
    times: np.ndarray  # ms


def ffn_widths(most: int, multiple: int) -> list[int]:
    """The widths of a feed-forward half that are tried: most x 0.9^i for i = 0..42, then 0 (ZipLM's grid).

    All but `most` are multiples of `multiple`, which is what matrix kernels like.
    """
    rounded = {max(multiple, round(most * 0.9**i / multiple) * multiple) for i in range(1, 43)}
    return [most, *sorted((width for width in rounded if width < most), reverse=True), 0]


def fastest(halves: Sequence[Choices]) -> float:
    """The least time that any choice takes, in ms."""
    return float(sum(half.times.min() for half in halves))


def solve(halves: Sequence[Choices], weights: np.ndarray, budget: float) -> tuple[int, ...] | None:
    """The levels of the least weighted error within `budget` ms, None where there are none.

    Times are rounded up to a bucket, spdy.py's to the nearest: the budget is never exceeded.
    """
    if budget <= 0:
        return None
    best = np.zeros(BUCKETS + 1)  # least error of the halves so far within that many buckets
    taken = np.zeros((len(halves), BUCKETS + 1), dtype=np.int16)
    for place, half in enumerate(halves):
        steps = np.ceil(half.times * (BUCKETS / budget) - 1e-9).astype(int)
        options = np.full((len(steps), BUCKETS + 1), np.inf)
        for level, step in enumerate(steps):
            if step <= BUCKETS:
                options[level, step:] = best[: BUCKETS + 1 - step] + weights[place] * half.errors[level]
        taken[place] = options.argmin(0)
        best = options.min(0)
    if not np.isfinite(best[-1]):
        return None
    left, levels = BUCKETS, list[int]()
    for place in reversed(range(len(halves))):
        level = int(taken[place, left])
        levels.append(level)
        left -= int(np.ceil(halves[place].times[level] * (BUCKETS / budget) - 1e-9))
    return tuple(reversed(levels))


def search(
    halves: Sequence[Choices], budget: float, loss: Callable[[tuple[int, ...]], float], steps: int, seed: int
) -> np.ndarray:
    """The weights of the errors, one a half, whose levels within the budget have the least loss; all 1 to begin with.

    loss: of the model at these levels; called once for each distinct solution. steps: weights that are tried. Raises
    ValueError when nothing is within the budget.
    """
    generator, losses = np.random.default_rng(seed), dict[tuple[int, ...], float]()

    def cost(weights: np.ndarray) -> float:
        levels = solve(halves, weights, budget)
        if levels is None:
            raise ValueError(f"nothing is within {budget} ms")
        if levels not in losses:
            losses[levels] = loss(levels)
        return losses[levels]

    best = np.ones(len(halves))
    least = cost(best) if steps else 0.0
    for step in range(steps):
        weights = best.copy()
        share = 1.0 if step < STARTS * steps else MUTATED * (1 - step / steps)
        changed = generator.choice(len(halves), max(1, round(share * len(halves))), replace=False)
        weights[changed] = 1.0 - generator.random(len(changed))
        if (found := cost(weights)) < least:
            best, least = weights, found
    return best
