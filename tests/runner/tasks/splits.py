"""Splits that hold labels alone, and what tasks say of answers to them."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from data.labels import Labels
from runner.statistics.answers import Answers
from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import Classification
from runner.tasks.regression import Regression


def split_of(labels: Any) -> Any:
    """A split with these labels, (rows,)."""
    values = np.asarray(labels)
    return SimpleNamespace(labels=Labels(values), known_labels=values, name="test")


classification, regression = Classification(), Regression()


def answers_of(task: Task, outputs: Any, labels: Any, positive: int = 1) -> Answers:
    classes = tuple(map(str, range(outputs.shape[1]))) if isinstance(task, Classification) else ()
    return type(task)(LabelFacts(classes, positive)).answers(outputs.reshape(len(outputs), -1), split_of(labels))


def metrics(task: Task, outputs: Any, labels: Any, names: Iterable[str], *, positive: int = 1) -> dict[str, float]:
    return task.evaluate(answers_of(task, outputs, labels, positive), list(names))


def interval(task: Task, outputs: Any, labels: Any, name: str, *, positive: int = 1) -> tuple[float, float]:
    return task.score(name).interval(answers_of(task, outputs, labels, positive))


def is_constant(task: Task, outputs: Any) -> bool | None:
    return task.is_constant(answers_of(task, outputs, np.zeros(len(outputs), int)))


def report(outputs: Any, labels: Any) -> dict[str, Any]:
    names = tuple(map(str, range(outputs.shape[1])))
    found = Classification(LabelFacts(names)).report(answers_of(classification, outputs, labels))
    assert found is not None
    return found


def loss(task: Task, outputs: torch.Tensor, labels: torch.Tensor) -> float:
    return float(task.loss(outputs, {"labels": labels}))
