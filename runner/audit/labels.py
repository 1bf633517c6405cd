"""The labels of a data set: its task and why, classes or tags with their counts, or the spread of numbers."""

from __future__ import annotations

import numpy as np

from data.calibration import CALIBRATION
from data.labels import Labels
from data.load import Rows
from data.sources.cells import parse_number
from data.targets.base import Target
from runner.audit.facts import ClassFacts, LabelFacts, TaskFacts
from runner.schema import Settings
from runner.tasks import named_task
from runner.tasks.base import Task


def task_facts(rows: Rows, task: Task, settings: Settings) -> TaskFacts:
    """Return how the labels are read, and why."""
    return TaskFacts(
        task.name, _why(rows, settings), rows.task.is_pair, tuple(task.metrics), rows.select, rows.report, rows.is_cut
    )


def _why(rows: Rows, settings: Settings) -> str:
    """Return what decides the task: a setting, or the labels."""
    if named_task(settings.task, settings.data):
        named = {"task": settings.task.name, "data.task": settings.data.task}
        return next(f"by {key}={value}" for key, value in named.items() if value != "auto")
    names, labels = rows.raw.target.names, rows.raw.splits["train"].labels
    if rows.raw.target.members(labels) is not None:
        return "a row has a list of labels, a text with a separator, or a column for each label"
    if not names:
        return "the labels are numbers, and not all are whole"
    if all(parse_number(name) is not None for name in names):
        return "the labels are whole numbers, and each is a class, as a text would be"
    own = ", or numbers that the data set itself names" if settings.data.source == "hub" else ""
    return f"the labels are texts{own}"


def label_facts(rows: Rows) -> LabelFacts:
    """Return the labels of all splits in use."""
    splits = {name: rows.raw.splits[name].labels for name in used_splits(rows)}
    target = rows.raw.target
    if target.names and target.members(rows.raw.splits["train"].labels) is not None:
        return _sets(splits, target.names)
    if target.names:
        return _classes(splits, target)
    values = {name: _first_numbers(labels) for name, labels in splits.items()}
    if not any(found.size and np.ptp(found) for found in values.values()):
        return LabelFacts()  # texts without labels
    return LabelFacts(numbers={name: _spread(found) for name, found in values.items()})


def _first_numbers(labels: Labels) -> np.ndarray:
    """Return the number of each row, (rows,) float64: of several the first, which is the label."""
    values = np.asarray(labels.values, np.float64)
    return values if values.ndim == 1 else values[:, 0]


def used_splits(rows: Rows) -> list[str]:
    """Return the names of the splits in use: train, the one that selects, the reported ones, rows set aside."""
    apart = [CALIBRATION] if CALIBRATION in rows.raw.splits else []
    return list(dict.fromkeys(("train", rows.select, *rows.report, *apart)))


def _classes(splits: dict[str, Labels], target: Target) -> LabelFacts:
    """Count what the target counts: the classes of rows, the tags of words; the largest in the first split first."""
    tallies = {split: target.tally(labels) for split, labels in splits.items()}
    counts = {split: found for split, (_, found, _) in tallies.items()}
    shown, first, unit = next(iter(tallies.values()))
    order = sorted(range(len(shown)), key=lambda index: (-int(first[index]), index))
    classes = [
        ClassFacts(shown[index], {split: int(found[index]) for split, found in counts.items()}) for index in order
    ]
    majority = {split: float(found[order[0]] / max(1, found.sum())) for split, found in counts.items()}
    return LabelFacts(tuple(classes), unit, majority)


def _sets(splits: dict[str, Labels], names: tuple[str, ...]) -> LabelFacts:
    """Count the rows that have each label."""
    values = {split: np.asarray(labels.values) for split, labels in splits.items()}
    counts = {split: found.sum(axis=0, dtype=np.int64) for split, found in values.items()}
    order = sorted(range(len(names)), key=lambda place: (-int(counts["train"][place]), place))
    classes = [ClassFacts(names[place], {split: int(of[place]) for split, of in counts.items()}) for place in order]
    sizes = {split: found.sum(axis=1, dtype=np.int64) for split, found in values.items()}
    sets = {
        split: {"mean": float(of.mean()), "max": float(of.max()), "empty": float((of == 0).mean())}
        for split, of in sizes.items()
        if len(of)
    }
    return LabelFacts(tuple(classes), "sets", sets=sets)


def _spread(values: np.ndarray) -> dict[str, float]:
    return {
        "mean": float(values.mean()), "sd": float(values.std()), "min": float(values.min()),
        "max": float(values.max()), "distinct": float(len(np.unique(values))),
    }  # fmt: skip
