"""The time of an answer by what is deployed: the reader of a bundle, which `python predict.py` uses.

    times = time_forms(model_of_run(record, folder), questions, most=1000.0)     # {"onnx": 8149.0, "onnx-int8": 3232.0}
    delivered(times, most=1000.0)                                                # "onnx-int8"

An encoder takes about half as long as an ONNX graph as in torch, and a third of that in 8 bits. For each answer only
processor time counts, and the smallest of three medians, since other work on the machine only adds time: on two cores
with five other busy processes, a MiniLM that takes 10 ms answers in 36.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from models.errors import ModelError
from runner.deploy.bundle import predict
from runner.deploy.exported import ExportedModel, with_engine
from runner.deploy.predictors import open_predictor
from runner.deploy.reader_files import round_graph, write_reader_files
from runner.errors import ConfigError
from runner.measure.latency import without_collection

BLOCKS, BLOCK_S, FEWEST = 3, 0.15, 5  # blocks of answers; seconds of one at most; answers in it at least
WARM_UP = 20  # questions, after which frequent words are in the caches of a reader
INT8 = "onnx-int8"
GRAPHS = ("onnx", INT8)  # the forms of an encoder's bundle: in 8 bits where float32 takes too long
TORCH = "torch"  # in place of a bundle, where there can be none

Question = TypeVar("Question")
Columns = Sequence[list[Any]]  # texts, and for pairs second texts, of equal length
Ask = Callable[[Columns], object]


def time_forms(
    trained: ExportedModel, questions: Sequence[Columns], most: float | None = None, *,
    most_bytes: float | None = None, seconds: float = BLOCK_S, fewest: int = FEWEST,
) -> dict[str, float]:  # fmt: skip
    """Return the microseconds of an answer by the bundle of a saved model, by the engine of the bundle; one thread.

    That of a packed model is `numpy`. An encoder has `onnx`, and `onnx-int8` if the first is slower than `most`
    microseconds or its graph has more than `most_bytes`. `torch`: there can be no bundle. questions: of one row each.
    seconds, fewest: of each block of answers.
    """

    def timed(ask: Ask) -> float:
        return time_reader(ask, questions, seconds, fewest)

    packed = with_engine(trained, "auto")
    if packed.engine == "numpy":
        return {packed.engine: timed(by_columns(open_predictor(packed)))}
    try:
        return time_graphs(trained, timed, most, most_bytes)
    except (ConfigError, ModelError):
        return {TORCH: timed(by_columns(open_predictor(trained)))}


def time_graphs(
    trained: ExportedModel, timed: Callable[[Ask], float], most: float | None, most_bytes: float | None
) -> dict[str, float]:
    """Return the time of each graph that `time_forms` needs.

    Raises ConfigError or ModelError if there can be none.
    """
    found = dict[str, float]()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        network = write_reader_files(trained, folder)
        if most_bytes is None or (folder / predict.GRAPH_FILE).stat().st_size <= most_bytes:
            found[GRAPHS[0]] = timed(one_by_one(predict.Model(folder)))
        if not found or (most is not None and found[GRAPHS[0]] > most):
            round_graph(folder, network)
            found[GRAPHS[1]] = timed(one_by_one(predict.Model(folder)))
    return found


def delivered(times: Mapping[str, float], most: float | None) -> str:
    """Return the engine of the bundle that is delivered: the first within `most` microseconds, else the fastest."""
    inside = [engine for engine in times if most is None or times[engine] <= most]
    return inside[0] if inside else min(times, key=times.__getitem__)


def by_columns(predictor: Callable[[Any, Any], object]) -> Ask:
    """Return a function that asks a predictor texts and second texts."""
    return lambda columns: predictor(columns[0], columns[1] if len(columns) > 1 else None)


def one_by_one(model: predict.Model) -> Ask:
    """Return a function that asks the reader of a bundle the first question of the columns, as its users do."""
    return lambda columns: model(*(cells[0] for cells in columns))


def time_reader(
    ask: Callable[[Question], object], questions: Sequence[Question], seconds: float = BLOCK_S, fewest: int = FEWEST
) -> float:
    """Return the microseconds of an answer: the smallest of the medians of some blocks, after a few to warm up.

    No question is asked twice unless there are too few: a reader tokenises a word faster the second time.
    """
    count = min(WARM_UP, len(questions) // 2)
    with without_collection():
        time_block(ask, questions[:count] or questions, seconds, fewest)
        others = questions[count:]
        return min(median(time_block(ask, others[n::BLOCKS] or others, seconds, fewest)) for n in range(BLOCKS))


def time_block(
    ask: Callable[[Question], object], questions: Sequence[Question], seconds: float = BLOCK_S, fewest: int = FEWEST
) -> list[float]:
    """Return the time of each answer in microseconds, without waiting for other processes.

    Every question is asked once, or as many as fit in `seconds`, but at least `fewest`.
    """
    end, times = time.perf_counter() + seconds, list[float]()
    for question in islice(cycle(questions), max(fewest, len(questions))):
        if time.perf_counter() > end and len(times) >= fewest:
            break
        before, begun = time.process_time_ns(), time.perf_counter_ns()
        ask(question)
        taken, spent = time.perf_counter_ns() - begun, time.process_time_ns() - before
        times.append(min(taken, spent or taken) / 1e3)  # 0 if the clock of processor time is a rough one
    return times
