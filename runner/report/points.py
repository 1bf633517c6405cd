"""The logged points of a run as curves, thinned to what a chart can show; damaged lines are skipped."""

from __future__ import annotations

import math
from pathlib import Path

from runner.record.folder import POINTS
from runner.record.validation import point

MOST_POINTS = 160  # in one curve
NO_CURVE = ("step", "time", "train/lr", "train/epoch", "train/grad_norm", "train/examples_per_s", "train/tokens_per_s")

Series = dict[str, list[tuple[float, float]]]


def read_points(run_folder: Path) -> Series:
    """Return the logged losses and scores of a run as {metric: [(step, value), ...]}, the most interesting first."""
    try:
        lines = (run_folder / POINTS).read_bytes().splitlines()
    except OSError:
        return {}
    series: Series = {}
    for line in lines:
        logged = point(line) or {}
        for name, value in logged.items():
            if name not in NO_CURVE and math.isfinite(value):
                series.setdefault(name, []).append((logged["step"], value))
    return {name: thinned(series[name]) for name in sorted(series, key=by_interest) if len(series[name]) > 1}


def by_interest(name: str) -> tuple[int, str]:
    """Return a sort key: the training loss first, then scores, then the metrics of modules."""
    return (0 if name == "train/loss" else 2 if name.startswith(("grad_norm/", "mix/")) else 1), name


def thinned(points: list[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """Return at most `most` points: the means over equally long stretches, each at the last step of its stretch."""
    stride = math.ceil(len(points) / most)
    stretches = [points[start : start + stride] for start in range(0, len(points), stride)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in stretches]
