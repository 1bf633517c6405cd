"""Candidates made in memory, with golden differences from the best one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from runner.best.types import Scored
from runner.statistics.answers import Answers
from runner.statistics.confusion import CLASS_SCORES

ACCURACY = CLASS_SCORES["accuracy"]


def answers(right: np.ndarray) -> Answers:
    """Answers to rows of one label, right where told."""
    return Answers({"label": np.ones(len(right), int), "prediction": np.asarray(right).astype(int)})


def scored(name: str, found: Answers | Sequence[Answers], kb: float = 100, **more: Any) -> Scored:
    """A finished candidate with these answers; more: score, micros, position."""
    repeats = (found,) if isinstance(found, Answers) else tuple(found)
    by = more.pop("score", ACCURACY)
    score = float(np.mean([by.value(one) for one in repeats]))
    return Scored(name, "kind", int(kb * 1000), more.get("micros"), more.get("position", 0), repeats, score)


def against_best(b: int, c: int) -> Answers:
    """Right where the best is, except for b rows that only the best gets right and c that only this one does."""
    right = np.arange(1000) < 880
    right[:b], right[880 : 880 + c] = False, True
    return answers(right)


BEST = scored("best", against_best(0, 0), 900)
B, C, D = (
    scored(name, against_best(b, c), kb)
    for name, b, c, kb in (("B", 30, 24, 200), ("C", 60, 40, 300), ("D", 52, 48, 400))
)
