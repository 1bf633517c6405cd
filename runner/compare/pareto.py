"""Pareto fronts: the groups that no other group beats in score and cost at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runner.compare.axes import SIZE, TIME

# Letter of each front, the key of its cost in Row.costs, and the name of its plot.
AXES = {"b": (SIZE, "bytes"), "l": (TIME, "latency"), "m": ("cost/macs", "macs")}


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points (score, cost) that are not dominated, cheapest first.

    Score: higher is better; cost: lower is better. A point is dominated when another is at least as good in both and
    better in one; points that are equal in both are all kept. Those with an infinite number, or none, lie on no front:
    a run that diverged is no candidate, and NaN compares with nothing.
    """
    kept: list[int] = []
    finite = [index for index, point in enumerate(points) if all(map(math.isfinite, point))]
    order = sorted(finite, key=lambda i: (points[i][1], -points[i][0]))
    for index in order:
        score = points[index][0]
        if not kept or score > points[kept[-1]][0] or points[index] == points[kept[-1]]:
            kept.append(index)
    return kept
