"""Makes the task of a run, from its data or from its record."""

from __future__ import annotations

from typing import Any, Protocol

from data.errors import DataError
from data.splits import Splits, TargetScale
from data.targets.class_weights import balanced_weights
from runner.schema import Settings
from runner.tasks import task_class
from runner.tasks.base import LabelFacts, Task


class RecordedData(Protocol):
    """The labels as a record describes them: DataFacts of runner/record/record.py."""

    @property
    def task(self) -> str: ...
    @property
    def labels(self) -> list[str]: ...
    @property
    def positive_index(self) -> int: ...
    @property
    def targets(self) -> dict[str, float] | None: ...


class Recorded(Protocol):
    """A record, as far as its task is asked about: RunRecord of runner/record/record.py."""

    @property
    def data(self) -> RecordedData: ...
    def setting(self, key: str) -> Any:
        """The value of a setting, None where the record has none."""


def task_of(splits: Splits, settings: Settings) -> Task:
    """Return the task of a run; DataError for a score that it cannot have."""
    found, data = splits.task, settings.data
    weights = None
    if data.class_weights != "none":
        if not found.label_names:
            raise DataError(
                f"data.class_weights={data.class_weights}: needs classes, this task is {found.kind}. "
                "Try: data.class_weights=none"
            )
        weights = balanced_weights(splits.train.known_labels, found.num_labels)
    facts = LabelFacts(
        found.label_names, found.positive, found.target_scale, tuple(data.metrics), weights, settings.task.output
    )
    return task_class(found.kind)(facts).check()


def task_of_record(record: Recorded) -> Task:
    """Return the task of a recorded run; KeyError for one that this version does not know."""
    data = record.data
    scale = TargetScale(**data.targets) if data.targets else None
    metrics = tuple(record.setting("data.metrics") or ())
    return task_class(data.task)(LabelFacts(tuple(data.labels), data.positive_index, scale, metrics))
