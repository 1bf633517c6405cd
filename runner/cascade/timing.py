"""Times from string to label of both models and of their cascade, each text in turns, on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.load import Rows
from runner.deploy.answer_table import Answer
from runner.deploy.cascade import ANSWERED_BY, SMALL, CascadePredictor
from runner.measure.latency import fixed_threads, without_collection

MOST_TEXTS = 1000
WARM_UP = 10  # texts, each asked of all three
SEED = 0  # of the order, so that texts that are timed before the time is up are of all classes


@dataclass(frozen=True)
class Times:
    """Microseconds of each timed text, (texts,), and whether the small model answered it."""

    small: np.ndarray
    large: np.ndarray
    cascade: np.ndarray
    by_small: np.ndarray

    @property
    def formula(self) -> float:
        """Return the mean that the cascade should take: the small model for all, the large one for the others too."""
        return float(self.small.mean() + (self.large * ~self.by_small).mean())

    def percentile(self, share: float) -> float:
        """Return the microseconds of the cascade that this share (0..1) of the texts does not exceed."""
        return float(np.quantile(self.cascade, share, method="inverted_cdf"))


def texts_to_time(rows: Rows, split: str) -> list[list[Any]]:
    """Return the questions to ask as columns: different ones, evenly spaced over the split, in random order."""
    raw = rows.raw.splits[split]
    places = np.linspace(0, len(raw) - 1, min(MOST_TEXTS, len(raw))).round().astype(int)
    cells = list({repr(one): one for one in zip(*raw.read(np.unique(places)).values())}.values())
    order = np.random.default_rng(SEED).permutation(len(cells))
    return [list(column) for column in zip(*(cells[place] for place in order))]


def time_cascade(predictor: CascadePredictor, columns: Sequence[list[Any]], seconds: float, threads: int) -> Times:
    """Ask each text of both models and of the cascade, in an order that turns, until the time is up.

    columns: of `texts_to_time`. A model that has just seen a text may answer it faster, and each is the first one in a
    third of the texts.
    """
    asked: list[Callable[..., list[Answer]]] = [predictor.small, predictor.large, predictor]
    found: list[list[float]] = []
    by_small = []
    questions = [[[cell] for cell in cells] for cells in zip(*columns)]
    with fixed_threads(threads), without_collection():
        for question in questions[:WARM_UP]:
            for ask in asked:
                ask(*question)
        end = time.perf_counter() + seconds
        for number, question in enumerate(questions):
            times = [0.0, 0.0, 0.0]
            for turn in range(3):
                which = (number + turn) % 3
                begun = time.perf_counter_ns()
                answer = asked[which](*question)[0]
                times[which] = (time.perf_counter_ns() - begun) / 1e3
                if which == 2:
                    by_small.append(answer[ANSWERED_BY] == SMALL)
            found.append(times)
            if time.perf_counter() > end and len(found) >= len(asked):
                break
    small, large, cascade = np.array(found).T
    return Times(small, large, cascade, np.array(by_small))
