"""Times both models and their cascade from string to label, alternating on each text, on this machine."""

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
WARM_UP = 10  # texts, each answered by all three
SEED = 0  # of the random order, so that texts that are timed before the time is up are of all classes


@dataclass(frozen=True)
class Times:
    """Microseconds of each timed text, (texts,), and whether the small model answered it."""

    small: np.ndarray
    large: np.ndarray
    cascade: np.ndarray
    by_small: np.ndarray

    @property
    def formula(self) -> float:
        """Return the expected mean time: the small model on all texts, plus the large one on the others."""
        return float(self.small.mean() + (self.large * ~self.by_small).mean())

    @property
    def typical(self) -> float:
        """Return the mean of the medians of both models' texts, weighted by how many there are.

        Other work on the machine only adds time, and hardly affects a mean of medians.
        """
        parts = [self.cascade[which] for which in (self.by_small, ~self.by_small) if which.any()]
        return float(sum(np.median(part) * len(part) for part in parts) / len(self.cascade))

    def percentile(self, share: float) -> float:
        """Return the microseconds of the cascade that this share (0..1) of the texts does not exceed."""
        return float(np.quantile(self.cascade, share, method="inverted_cdf"))


@dataclass(frozen=True)
class Texts:
    """Questions in columns, first texts and for pairs second texts, and the label of each, (texts,)."""

    columns: list[list[Any]]
    labels: np.ndarray


def texts_to_time(rows: Rows, split: str) -> Texts:
    """Return the questions to ask: different ones, evenly spaced over the split, in random order."""
    raw = rows.raw.splits[split]
    places = np.unique(np.linspace(0, len(raw) - 1, min(MOST_TEXTS, len(raw))).round().astype(int))
    cells = {repr(one): (one, place) for one, place in zip(zip(*raw.read(places).values()), places)}
    different = list(cells.values())
    order = np.random.default_rng(SEED).permutation(len(different))
    columns = [list(column) for column in zip(*(different[place][0] for place in order))]
    return Texts(columns, np.asarray(raw.labels.values)[[different[place][1] for place in order]])


def time_in_turns(
    asked: Sequence[Callable[..., list[Answer]]], texts: Texts, seconds: float, threads: int
) -> tuple[np.ndarray, list[list[Answer]]]:
    """Let all models answer each text, in rotating order, until the time is up.

    Returns microseconds (texts, models), and the answers of the models to each text. A text that was just read may be
    answered faster, so each model is first for the same share of the texts.
    """
    found: list[list[float]] = []
    answers: list[list[Answer]] = []
    questions = [[[cell] for cell in cells] for cells in zip(*texts.columns)]
    with fixed_threads(threads), without_collection():
        for question in questions[:WARM_UP]:
            for ask in asked:
                ask(*question)
        end = time.perf_counter() + seconds
        for number, question in enumerate(questions):
            times, given = [0.0] * len(asked), [Answer()] * len(asked)
            for turn in range(len(asked)):
                which = (number + turn) % len(asked)
                begun = time.perf_counter_ns()
                given[which] = asked[which](*question)[0]
                times[which] = (time.perf_counter_ns() - begun) / 1e3
            found.append(times)
            answers.append(given)
            if time.perf_counter() > end and len(found) >= len(asked):
                break
    return np.array(found), answers


def time_cascade(predictor: CascadePredictor, texts: Texts, seconds: float, threads: int) -> Times:
    """Return the times of both models and of the cascade."""
    found, answers = time_in_turns([predictor.small, predictor.large, predictor], texts, seconds, threads)
    small, large, cascade = found.T
    return Times(small, large, cascade, np.array([given[2][ANSWERED_BY] == SMALL for given in answers]))
