"""End-to-end time from a string to its label: opening the saved model, and each single prediction.

    time_answers(lambda: open_it(folder), distinct_texts(split), settings)

latency.py times the forward pass alone. A model of a few hundred kilobytes spends most of its time outside of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch

from data.inputs.base import Input
from data.inputs.columns import Columns
from data.splits import TokenSplit
from runner.measure.latency import fixed_threads, without_collection
from runner.measure.settings import MeasureSettings

MOST_TEXTS = 1000  # enough to know a percentile to within a few ranks
LIST = 32  # texts per call when measuring answers per second
FEWEST_TEXTS = 3  # timed even if they exceed the time limit
WARM_UP_TEXTS = 20  # after them a DSN's times are stable: kernels are chosen, frequent words are in the word cache
QUERIES = 5  # at most, each with all its candidates
WARM_UP_SHARE = 0.2  # of the time for answers that the warm-up may take

Ask = Callable[[Sequence[list[Any]]], object]  # predicts for rows given as columns of equal length: texts, second texts


def distinct_texts(split: TokenSplit, most: int = MOST_TEXTS) -> list[list[object]]:
    """Return distinct rows of a split as columns, evenly spaced over the split; [] if it has no texts.

    Their order is random but the same for all models, as a slow model is timed on the first ones only, which would
    otherwise be of one class or one article.
    """
    if split.texts is None:
        return []
    count = len(split.texts)
    rows = np.linspace(0, count - 1, min(most, count)).round().astype(int)
    cells: Columns = split.texts.read(rows)
    different = list({repr(question): question for question in zip(*cells.values())}.values())
    order = np.random.default_rng(0).permutation(len(different))
    return [list(column) for column in zip(*(different[place] for place in order))]


def time_answers(
    load: Callable[[], Ask], columns: Sequence[list[object]], settings: MeasureSettings, together: int = 0
) -> dict[str, float]:
    """Return the `speed/*` metrics of answers; all texts together take about `rounds` times `min_time_s` seconds.

    load: opens the saved model. columns: from `distinct_texts`. Each text is timed once, alone; then the timed ones
    are timed again, LIST at a time. together: number of second texts also timed in one call with a single first text,
    like the candidates of a query; 0: none. Threads, garbage collection and torch's random state are restored.
    """
    seconds = settings.rounds * settings.min_time_s
    questions = [[[cell] for cell in cells] for cells in zip(*columns)]
    with fixed_threads(settings.threads), without_collection(), torch.random.fork_rng(devices=[]):
        begun = time.perf_counter()
        ask = load()
        loaded = time.perf_counter()
        _ask_each(ask, questions[:WARM_UP_TEXTS], WARM_UP_SHARE * seconds)
        times = _ask_each(ask, questions, seconds)
        lists = [[cells[i : i + LIST] for cells in columns] for i in range(0, len(times), LIST)]
        listed = _ask_each(ask, lists, seconds)
        queries = _ask_each(ask, [_together(columns, together)] * QUERIES, seconds) if together else []
    p50, p90, p95 = np.quantile(times, (0.5, 0.9, 0.95), method="inverted_cdf")
    return {
        "speed/answer_us_mean": float(np.mean(times)),
        "speed/answer_us_p50": float(p50),
        "speed/answer_us_p90": float(p90),
        "speed/answer_us_p95": float(p95),
        "speed/answer_texts": len(times),
        "speed/answers_per_s": 1e6 * float(np.median([len(part[0]) / t for part, t in zip(lists, listed)])),
        "speed/load_ms": 1e3 * (loaded - begun),
        **({"speed/query_ms_p50": float(np.median(queries)) / 1e3} if queries else {}),
    }


def time_features(
    own: Input, columns: Sequence[list[object]], max_length: int, settings: MeasureSettings
) -> dict[str, float]:
    """Return the time from a sound file to its frames: part of every answer, but not of the model's latency."""
    questions = [[[cell] for cell in cells] for cells in zip(*columns)]
    with fixed_threads(settings.threads), without_collection():
        times = _ask_each(
            lambda question: own.encode(dict(zip(own.columns, question)), max_length), questions,
            settings.rounds * settings.min_time_s,
        )  # fmt: skip
    return {"speed/features_us_p50": float(np.median(times))}


def _together(columns: Sequence[list[object]], count: int) -> list[list[object]]:
    """Return `count` pairs of one first text with different second texts, which repeat if there are fewer."""
    return [columns[0][:1] * count, *(list(islice(cycle(cells), count)) for cells in columns[1:])]


def _ask_each(ask: Ask, questions: list[list[list[object]]], seconds: float) -> list[float]:
    """Time one question after the other until the time is up; return their times in microseconds."""
    end, times = time.perf_counter() + seconds, list[float]()
    for question in questions:
        begun = time.perf_counter_ns()
        ask(question)
        times.append((time.perf_counter_ns() - begun) / 1e3)
        if time.perf_counter() > end and len(times) >= FEWEST_TEXTS:
            break
    return times
