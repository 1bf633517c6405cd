"""Reads the reported rows of a data set: zero-shot needs no training rows, so separate ones are read only if the
classes, their order or the positive class follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.duplicates import drop_repeats
from data.load import Rows, read_rows
from data.settings import DataSettings, split_names
from data.sources.choice import read_raw
from data.sources.hub import class_names, load_hub_split
from data.sources.raw import RawData, RawSplit
from data.splits import DataTask
from data.splitting import limit_rows
from data.stores.build_once import SharedCache
from data.targets.label_column import UNLABELLED, no_labels_error
from runner.errors import ConfigError


@dataclass(frozen=True)
class ReportedRows:
    """The reported rows and what their labels are."""

    name: str  # of the split
    raw: RawSplit
    task: DataTask
    notes: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return list(self.raw.read(np.arange(len(self.raw)))["text"])

    @property
    def pairs(self) -> list[str] | None:
        """The second texts, in order; None if rows have one text."""
        return self.raw.read(np.arange(len(self.raw))).get("text_pair")


def read_reported(data: DataSettings, cache: SharedCache) -> ReportedRows:
    """Read the first reported split.

    Raises DataError if it cannot be read, ConfigError for labels that are no classes.

    A separate split is read alone, or together with the training rows if these determine its classes. One that is cut
    from other rows is cut as in a run, so that results can be compared.
    """
    name, alone = split_names(data)[1][0], _alone(data)
    if alone is None:
        rows = read_rows(data, cache)
    else:
        raw = read_raw(alone, cache)
        trained = raw.splits["train"].labels if name in raw.splits else None
        raw.splits = {"train": raw.splits.get(name, raw.splits["train"])}
        if data.duplicates == "drop":
            drop_repeats(raw, cache)  # as a run does in each split
        raw = RawData(raw.target, {name: raw.splits["train"]}, raw.dropped, raw.notes)
        limit_rows(raw, data)
        split = raw.splits[name]
        names = raw.target.names
        positive = raw.target.positive_class(data.positive, split.labels if trained is None else trained)
        task = DataTask(raw.target.name, names, data.text_pair is not None, positive)
        rows = Rows(raw, "", (name,), is_cut=False, task=task)
    classes, where = rows.task.label_names, f"{data.id or data.test_path or data.path or data.name} {name}"
    if classes == (UNLABELLED,):
        raise no_labels_error(data, name, where)
    if len(classes) == 1:
        raise ConfigError(
            f"run zero-shot: {where} has only the class {classes[0]}, but a label is chosen among two or more. "
            "Try: data.train_path=<a file with all classes>"
        )
    if not classes or rows.raw.splits[name].labels.offsets is not None:
        raise ConfigError(
            f"run zero-shot: {where} has {', '.join(classes) or 'numbers'} as labels, but classes of texts are needed. "
            "Try: data.label=<the column of the classes>"
        )
    return ReportedRows(name, rows.raw.splits[name], rows.task, tuple(rows.raw.notes))


def _alone(data: DataSettings) -> DataSettings | None:
    """Return settings that read the reported split, as `train` if it is alone; None if it is cut from other rows.

    The training rows of a run determine its classes and their order, so they are read too, unless there are none or a
    hub dataset names its classes itself.
    """
    plain = replace(
        data, report_splits={}, select_split=None, folds=None, fold=None, group=None, max_rows=None, calibration=None
    )
    if data.source == "hub" and data.split is None and data.report_splits:
        name, split = next(iter(data.report_splits.items()))
        is_named = _names_classes(data, split)
        return replace(plain, train_split=split) if is_named else replace(plain, report_splits={name: split})
    if data.source == "files" and data.test_path:
        train = data.train_path or data.path or data.test_path
        own = replace(plain, train_path=train, path=None, val_path=None)
        is_same = Path(train).expanduser().resolve() == Path(data.test_path).expanduser().resolve()
        return replace(own, test_path=None) if is_same else own
    return None


def _names_classes(data: DataSettings, split: str) -> bool:
    """Does a hub dataset name its classes, and is the positive class known without the training rows?"""
    names = class_names(load_hub_split(data, split).features.get(data.label or ""))
    return len(names) > 2 or (len(names) == 2 and data.positive is not None)
