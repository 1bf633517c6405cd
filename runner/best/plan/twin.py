"""Times answers before anything is trained, with a random twin and the bundle that it would have.

Near the cap this time decides nothing: such a candidate is trained, then judged once by the time of its own bundle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.inputs.questions import INPUTS
from data.load import Rows
from data.text_facts import sample_columns
from runner.deploy.answer_time import time_forms
from runner.deploy.exported import ExportedModel
from runner.schema import Settings
from runner.tasks.make import further_facts, task_of_labels

FITS, OUT = 0.8, 1.25  # of the cap: below the first it fits, above the second it does not
SAMPLE, TEXTS = 1000, 320  # texts that are looked at; of about their median length


def time_twin(folder: Path, settings: Settings, rows: Rows, most: float | None) -> dict[str, float]:
    """Return the microseconds of an answer to a text of median length by the model saved in `folder`.

    By engine, as `time_forms` does; most: the cap.
    """
    return time_forms(describe_twin(folder, settings, rows), typical_questions(rows), most)


def describe_twin(folder: Path, settings: Settings, rows: Rows) -> ExportedModel:
    """Return the saved twin as a deployed model, as `run predict` describes a run's."""
    task = task_of_labels(rows.task, settings)
    data, kind = settings.data, INPUTS[task.input]
    columns = tuple(name for name in (data.text, data.text_pair) if name is not None)
    return ExportedModel(
        folder, "torch", "", settings.model.name, task.name, tuple(rows.task.label_names), columns, data.max_length, "",
        dict.fromkeys(kind.options), further_facts(task.facts),
    )  # fmt: skip


def typical_questions(rows: Rows) -> list[list[list[Any]]]:
    """Return TEXTS questions of about median length, the nearest to it first, as columns of one cell each.

    They are reported texts, whose labels are not read: SST-2's are twice as long as the phrases that it trains on.
    """
    split = rows.raw.splits[(*rows.report, rows.select)[0]]
    found = sorted(sample_columns(split, SAMPLE), key=length_of)
    middle = length_of(found[len(found) // 2])
    nearest = sorted(found, key=lambda cells: abs(length_of(cells) - middle))
    return [[[cell] for cell in cells] for cells in dict.fromkeys(nearest[:TEXTS])]


def length_of(cells: tuple[str, ...]) -> int:
    """Return the characters of a text, or of a pair of texts."""
    return sum(map(len, cells))


def verdict(micros: float, most: float | None) -> bool | None:
    """Does a time meet the cap? None: too close to tell before the model is trained."""
    if most is None or micros < FITS * most:
        return True
    return False if micros > OUT * most else None
