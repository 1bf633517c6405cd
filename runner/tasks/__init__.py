"""Tasks: what a model learns, one class each, imported when something asks for it; make.py makes the objects."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.settings import DataSettings, TaskSettings
    from runner.tasks.base import Task

TASKS: dict[str, str] = {  # the first is taken for what data.task=auto finds, before the data are read
    "classification": "runner.tasks.classification:Classification",
    "regression": "runner.tasks.regression:Regression",
    "mlm": "runner.tasks.mlm:MaskedWords",
    "tags": "runner.tasks.tags:Tags",
    "span": "runner.tasks.span:Span",
    "multilabel": "runner.tasks.multilabel:MultiLabel",
    "rank": "runner.tasks.rank:Rank",
}


@cache
def task_class(name: str) -> type[Task]:
    """Return the class of a task; KeyError naming the known ones."""
    if name not in TASKS:
        raise KeyError(f"unknown task '{name}'; known: {', '.join(TASKS)}")
    module, _, cls = TASKS[name].partition(":")
    found: type[Task] = getattr(importlib.import_module(module), cls)
    return found


def baseline_name(task: str) -> str:
    """Return the name, in tables, of the score that is reached without learning."""
    found = find_task(task)
    return found.baseline_name if found else "baseline"


def find_task(name: str) -> type[Task] | None:
    """Return the class of a task, None for one that this version does not know."""
    return task_class(name) if name in TASKS else None


def grades_answers(task: Task | type[Task]) -> bool:
    """Return whether the stored answers of a task are right or wrong one by one, as `run errors` needs."""
    return task.grades_texts or set(task.stored) >= {"label", "prediction"}


def named_task(task: TaskSettings, data: DataSettings) -> type[Task] | None:
    """Return the class of the task that the settings name, None if the labels decide (auto)."""
    return find_task(task.name) or find_task(data.task)


def likely_task(task: TaskSettings, data: DataSettings) -> type[Task]:
    """Return the class of the task, as far as it is known before the data are read."""
    return named_task(task, data) or task_class(next(iter(TASKS)))
