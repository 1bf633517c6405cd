"""The time of an answer before anything is trained: that of the random twin, in the engine that a run is asked with.

The smallest of three medians counts, and of each answer no more than the processor time that it took, since other load
only adds: on two cores with five busy processes beside it a MiniLM of 10 ms answers in 36. Near the cap it decides
nothing: such a candidate is trained and judged once, by its own time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from data.inputs.questions import INPUTS
from data.load import Rows
from data.text_facts import sample_columns
from runner.deploy.exported import ExportedModel, with_engine
from runner.deploy.predictors import open_predictor
from runner.schema import Settings
from runner.tasks.make import further_facts, task_of_labels

FITS, OUT = 0.8, 1.25  # of the cap: below the first it fits, above the second it does not
BLOCKS, BLOCK_S, FEWEST = 3, 0.15, 5  # blocks of answers; seconds of one; answers in it at least
TEXTS = 20  # of median length

Question = TypeVar("Question")
Ask = Callable[[Sequence[list[Any]]], object]


def time_twin(folder: Path, settings: Settings, rows: Rows) -> float:
    """Return the microseconds of an answer to a text of median length by the model saved in `folder`; one thread."""
    exported = with_engine(describe_twin(folder, settings, rows), "auto")
    predictor = open_predictor(exported, 1)
    questions = typical_questions(rows)

    def ask(columns: list[list[str]]) -> object:
        return predictor(columns[0], columns[1] if len(columns) > 1 else None)

    for question in questions:
        ask(question)
    return min(median(time_block(ask, questions)) for _ in range(BLOCKS))


def describe_twin(folder: Path, settings: Settings, rows: Rows) -> ExportedModel:
    """Return the saved twin as a deployed model, as `run predict` describes a run's."""
    task = task_of_labels(rows.task, settings)
    data, kind = settings.data, INPUTS[task.input]
    columns = tuple(name for name in (data.text, data.text_pair) if name is not None)
    return ExportedModel(
        folder, "torch", "", settings.model.name, task.name, tuple(rows.task.label_names), columns, data.max_length, "",
        dict.fromkeys(kind.options), further_facts(task.facts),
    )  # fmt: skip


def typical_questions(rows: Rows) -> list[list[list[str]]]:
    """Return TEXTS questions of about median length, as columns of one cell each, of the split that selects."""
    found = sorted(sample_columns(rows.raw.splits[rows.select], 1000), key=lambda cells: sum(map(len, cells)))
    first = max(0, len(found) // 2 - TEXTS // 2)
    return [[[cell] for cell in cells] for cells in found[first : first + TEXTS]]


def time_block(ask: Callable[[Question], object], questions: Sequence[Question]) -> list[float]:
    """Return what each answer of a block took, in microseconds; without what it waited for other processes."""
    end, times = time.perf_counter() + BLOCK_S, list[float]()
    while time.perf_counter() < end or len(times) < FEWEST:
        question = questions[len(times) % len(questions)]
        before, begun = time.process_time_ns(), time.perf_counter_ns()
        ask(question)
        taken, spent = time.perf_counter_ns() - begun, time.process_time_ns() - before
        times.append(min(taken, spent or taken) / 1e3)  # 0 where the clock of processor time is a rough one
    return times


def verdict(micros: float, most: float | None) -> bool | None:
    """Does a time fit the cap? None: it is too near to say before the model is trained."""
    if most is None or micros < FITS * most:
        return True
    return False if micros > OUT * most else None
