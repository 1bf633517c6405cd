"""Reads only the reported rows of a data set: zero-shot needs no training rows, so they are not read if they are
separate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.duplicates import drop_repeats
from data.load import Rows, read_rows
from data.settings import DataSettings, split_names
from data.sources.choice import read_raw
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
        """The second texts, in order; None where rows have one text."""
        return self.raw.read(np.arange(len(self.raw))).get("text_pair")


def read_reported(data: DataSettings, cache: SharedCache) -> ReportedRows:
    """Read the first reported split.

    Raises DataError where it cannot be read, ConfigError for labels that are no classes.

    A separate split is read alone. One that is taken from other rows is split as in a run, so that both can be
    compared.
    """
    name, alone = split_names(data)[1][0], _alone(data)
    if alone is None:
        rows = read_rows(data, cache)
    else:
        raw = read_raw(alone, cache)
        if data.duplicates == "drop":
            drop_repeats(raw, cache)  # as a run does in each split
        raw = RawData(raw.target, {name: raw.splits["train"]}, raw.dropped, raw.notes)
        limit_rows(raw, data)
        split = raw.splits[name]
        names, positive = raw.target.names, raw.target.positive_class(data.positive, split.labels)
        task = DataTask(raw.target.name, names, data.text_pair is not None, positive)
        rows = Rows(raw, "", (name,), is_cut=False, task=task)
    classes, where = rows.task.label_names, f"{data.id or data.test_path or data.path or data.name} {name}"
    if classes == (UNLABELLED,):
        raise no_labels_error(data, name, where)
    if len(classes) < 2 or rows.raw.splits[name].labels.offsets is not None:
        raise ConfigError(
            f"run zero-shot: {where} has {', '.join(classes) or 'numbers'} as labels, but classes of texts are needed. "
            "Try: data.label=<the column of the classes>"
        )
    return ReportedRows(name, rows.raw.splits[name], rows.task, tuple(rows.raw.notes))


def _alone(data: DataSettings) -> DataSettings | None:
    """Return settings that read only the reported split; None if it is taken from other rows."""
    plain = replace(data, report_splits={}, select_split=None, folds=None, fold=None, group=None, max_rows=None)
    if data.source == "hub" and data.split is None and data.report_splits:
        return replace(plain, train_split=next(iter(data.report_splits.values())))
    if data.source == "files" and data.test_path:
        return replace(plain, train_path=data.test_path, path=None, val_path=None, test_path=None)
    return None
