"""Makes the task of a run, from its data or from its record."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

import numpy as np

from data.errors import DataError
from data.splits import DataTask, Splits, TargetScale
from models.settings import FITTED_HEAD, ModelSettings
from runner.schema import VECTOR_SCALING, Settings
from runner.tasks import TASKS, named_task, task_class
from runner.tasks.base import LabelFacts, Task
from runner.tasks.cosines import check_cosine, loss_of
from runner.tasks.soft_labels import soft_labels

NOT_DEPLOYED = (
    "names",
    "scale",
    "metrics",
    "class_weights",
    "output",
    "loss_reduction",
    "loss",
    "label_smoothing",
    "relevant_from",
)  # of the facts: for training and scores alone


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
    @property
    def label_columns(self) -> list[int]: ...
    @property
    def has_empty(self) -> bool: ...


class RecordedThresholds(Protocol):
    """The thresholds of labels as a record describes them: ThresholdFacts of runner/record/thresholds.py."""

    @property
    def values(self) -> list[float]: ...


class Recorded(Protocol):
    """The parts of a record that its task is made from: RunRecord of runner/record/record.py."""

    @property
    def data(self) -> RecordedData: ...
    @property
    def thresholds(self) -> RecordedThresholds | None: ...
    def setting(self, key: str) -> Any:
        """Return the value of a setting, None if the record has none."""


def target_of(settings: Settings) -> str:
    """Return the name of the target that the settings ask for; auto if the labels decide."""
    named = named_task(settings.task, settings.data)
    return named.target if named else "auto"


def task_of_labels(labels: DataTask, settings: Settings, weights: np.ndarray | None = None) -> Task:
    """Return the task of labels; raise DataError for a score or for class weights that it cannot have.

    weights: of the classes in the loss, (C,); None: all weigh the same.
    """
    data, named = settings.data, named_task(settings.task, settings.data)
    classes = [*([named] if named else []), *map(task_class, TASKS)]  # several tasks may learn the same target
    found = next(cls for cls in classes if cls.target == labels.target)
    if data.class_weights != "none" and not found.weighs_classes:
        raise DataError(
            f"data.class_weights={data.class_weights}: needs classes, but this task is {found.name}. "
            "Try: data.class_weights=none"
        )
    if settings.calibration == VECTOR_SCALING and not found.has_probabilities:
        raise DataError(
            f"calibration={VECTOR_SCALING}: needs classes of whole texts, but this task is {found.name}. "
            "Try: leave calibration= out"
        )
    if data.threshold != LabelFacts().threshold and not found.has_label_sets:
        raise DataError(
            f"data.threshold={data.threshold}: is for sets of labels, but this task is {found.name}. Try: leave it out"
        )
    if not found.smooths_labels and (problems := soft_labels(settings, found.name)):
        raise DataError(problems[0])
    loss = loss_of(settings.train.loss, settings.model, found.cosine_losses)
    if found.has_label_sets:
        refuse_models_of_classes(settings.model)
    facts = LabelFacts(
        labels.label_names, labels.positive, labels.target_scale, tuple(data.metrics), weights, settings.task.output,
        labels.columns, data.language or "", labels.has_empty, data.null_threshold, data.max_answer,
        threshold=data.threshold, loss_reduction=settings.task.loss_reduction, loss=loss,
        relevant_from=data.relevant_from, passages=data.passages, label_smoothing=settings.train.label_smoothing,
    )  # fmt: skip
    task = found(facts).check()
    check_cosine(settings.model, found.cosine_losses, task.head(), found.name)
    return task


def refuse_models_of_classes(model: ModelSettings) -> None:
    """Raise DataError for a model whose fit or training needs one class a row, where rows have sets of labels."""
    given = {
        f"model.head={model.head}": model.head == FITTED_HEAD,
        f"model.pairs={model.pairs}": model.pairs != "none",
        f"model.add={model.add}": model.add != "none",
    }
    for named, is_given in given.items():
        if is_given:
            raise DataError(
                f"{named}: needs one class per row, but these are sets of labels. Try: model=ngram, dsn or bert-mini"
            )


def task_of(splits: Splits, settings: Settings) -> Task:
    """Return the task of a run; raise DataError for a score or for class weights that it cannot have."""
    task = task_of_labels(splits.task, settings)
    if settings.data.class_weights == "none":
        return task
    weights = task.class_weights_of(settings.data.class_weights, splits.train.known_labels, splits.task.num_labels)
    return task_of_labels(splits.task, settings, weights)


def task_of_record(record: Recorded) -> Task:
    """Return the task of a recorded run; raise KeyError for one that this version does not know."""
    data = record.data
    scale = TargetScale(**data.targets) if data.targets else None
    metrics = tuple(record.setting("data.metrics") or ())
    facts = LabelFacts(
        tuple(data.labels), data.positive_index, scale, metrics, columns=tuple(data.label_columns),
        language=record.setting("data.language") or "", has_empty=data.has_empty, **_decoding(record),
        thresholds=tuple(record.thresholds.values) if record.thresholds else (),
        loss=record.setting("train.loss") or "auto",
        relevant_from=record.setting("data.relevant_from") or 1.0, passages=record.setting("data.passages") or "max",
    )  # fmt: skip
    return task_class(data.task)(facts)


def _decoding(record: Recorded) -> dict[str, Any]:
    """Return how answers are decoded from the outputs, as far as a record states it."""
    found = {name: record.setting(f"data.{name}") for name in ("null_threshold", "max_answer", "threshold")}
    return {name: value for name, value in found.items() if value is not None}


def task_of_export(name: str, labels: tuple[str, ...], further: dict[str, Any]) -> Task:
    """Return the task of an exported model; further: as `further_facts` returned it."""
    facts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in further.items()}
    return task_class(name)(LabelFacts(labels, **facts))


def further_facts(facts: LabelFacts) -> dict[str, Any]:
    """Return what a task must know of the labels to answer, besides their names, as JSON; defaults are left out."""
    usual = asdict(LabelFacts())
    found = {key: value for key, value in asdict(facts).items() if key not in NOT_DEPLOYED and value != usual[key]}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}
