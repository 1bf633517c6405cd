"""The sentences of one probing task, and their labels, tokenised as an encoder reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.inputs.tokenizer import Tokenizer
from data.load import Rows, read_rows, tokenise_rows
from data.settings import DataSettings
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from runner.errors import ConfigError


@dataclass(frozen=True)
class TaskRows:
    """A task before it is tokenised: to train the probes, to select them and to report."""

    name: str
    rows: Rows

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.rows.task.label_names)

    def split(self, which: str, tokenizer: Tokenizer, longest: int, cache: SharedCache) -> TokenSplit:
        """Return the tokens of train, select or report; at most `longest` a row."""
        names = {"train": "train", "select": self.rows.select, "report": self.rows.report[0]}
        return tokenise_rows(self.rows, names[which], tokenizer, longest, cache)


def read_task(name: str, data: DataSettings, cache: SharedCache) -> TaskRows:
    """Read a task; data: with the config of that name where the data set has several.

    Raises DataError for data that cannot be read, ConfigError for labels that are not classes of a text.
    """
    rows = read_rows(data, cache)
    labels = rows.raw.splits["train"].labels
    if len(rows.task.label_names) < 2 or labels.offsets is not None or labels.values.ndim > 1:
        raise ConfigError(
            f"run probe: {name} has no classes, one for each text, which is what a probe learns. "
            "Try: data=xprobe, or data=sst2"
        )
    return TaskRows(name, rows)


def data_of_task(data: DataSettings, task: str) -> DataSettings:
    """Return the settings that read one task of a data set."""
    return data if task == data.name else replace(data, config=task)


def majority_share(train: np.ndarray, report: np.ndarray) -> float:
    """Return the accuracy of the most frequent class of the training labels, on the reported ones."""
    return float(np.mean(report == np.bincount(train).argmax()))
