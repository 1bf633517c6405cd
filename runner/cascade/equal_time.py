"""Compares ways to save time at equal mean time: the score of each, interpolated between its points.

    curves = {"cascade": [...], "exits": [...], "lengths": [...]}         # Point(ms, score) each
    at_equal_time(curves, 2.5)                                            # best first

The nearest point of another curve is never taken: it may be faster or slower, and the comparison would not be at equal
time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Point:
    """One setting of a model that can be made faster. ms: mean time of an answer; score: on the reported rows."""

    ms: float
    score: float


@dataclass(frozen=True)
class AtTime:
    """The score of a curve at a time, and its ends. score: None if even its fastest point is slower."""

    name: str
    score: float | None
    fastest: Point
    slowest: Point


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no faster point matches or beats, fastest first."""
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (one.ms, -one.score)):
        if not found or point.score > found[-1].score:
            found.append(point)
    return found


def score_at(points: Sequence[Point], ms: float) -> float | None:
    """Return the score at a time, in proportion between the two points around it; higher is better.

    Beyond the slowest point it is that point's score: extra time need not be used. None below the fastest one.
    """
    kept = front(points)
    if not kept or ms < kept[0].ms:
        return None
    return float(np.interp(ms, [point.ms for point in kept], [point.score for point in kept]))


def at_equal_time(curves: Mapping[str, Sequence[Point]], ms: float) -> list[AtTime]:
    """Return the score of each curve at a mean time, best first, curves that are slower last."""
    found = []
    for name, points in curves.items():
        kept = front(points)
        found.append(AtTime(name, score_at(points, ms), kept[0], kept[-1]))
    return sorted(found, key=lambda one: -np.inf if one.score is None else one.score, reverse=True)
