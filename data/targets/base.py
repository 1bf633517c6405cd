"""A target is one kind of label: it defines how labels are read and how they are put into a batch.

No other module in data/ depends on the kind of label: every difference between kinds is a method of the class here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from data.errors import DataError
from data.inputs.base import Input
from data.inputs.tokenizer import Tokenizer
from data.inputs.word_cache import Encoded
from data.labels import Labels
from data.settings import DataSettings, TaskSettings
from data.splits import Arrays, TargetScale, TokenSplit
from data.targets.label_column import LabelColumn


class Target(ABC):
    """Base class of all kinds of labels; instances are created from the training rows."""

    name: ClassVar[str]  # the name that tasks refer to
    columns: tuple[int, ...] = ()  # if an item has several labels: the number of classes of each
    has_empty: bool = False  # is an empty answer correct for some rows? Known after `check`
    # Do labels belong to places in the text, so that other words mean other labels?
    marks_places: ClassVar[bool] = False
    task: ClassVar[str]  # the value of data.task that selects it; also what messages call the data

    def __init__(self, names: tuple[str, ...] = (), notes: list[str] | None = None) -> None:
        self.names = names  # of the classes, in id order; () without classes
        self.notes = notes or []  # shown to the user once

    # --- before the rows are tokenised

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the labels of all splits, by name, in the form in which they are stored.

        where: the training rows' name in messages. Raises DataError for labels from which nothing can be learnt.
        """
        return dict(labels)

    def why_unlearnable(self, labels: Labels) -> str | None:
        """Return why nothing can be learnt from these training labels, as a clause; None if something can."""
        return None

    def strata(self, labels: Labels) -> np.ndarray | None:
        """Return the class of each row, (rows,), by which splits are stratified; None: rows are not stratified."""
        return None

    def members(self, labels: Labels) -> np.ndarray | None:
        """Return which labels each row has, (rows, C) bool, by which splits are stratified; None: use `strata`."""
        return None

    def groups(self, labels: Labels) -> np.ndarray | None:
        """Return the group of each row, (rows,); rows of a group stay in one split. None: no groups."""
        return None

    def tally(self, labels: Labels) -> tuple[tuple[str, ...], np.ndarray, str]:
        """Return the label names, how often each occurs, and what is counted: rows or words.

        For displaying data to users; if words have two tags, only the first is counted. Not for targets without names.
        """
        names = self.names[: self.columns[0]] if self.columns else self.names
        values = np.asarray(labels.values).reshape(len(labels.values), -1)[:, 0].astype(np.int64)
        return names, np.bincount(values, minlength=len(names)), "rows" if labels.offsets is None else "words"

    def in_words(self, labels: Labels) -> str:
        """Return the label of one row, or its set of labels, as text; "" if the row's words have separate labels."""
        if labels.offsets is not None or not len(labels.values):
            return ""
        if labels.values.ndim == 2:
            return ", ".join(name for name, has in zip(self.names, labels.values[0].tolist()) if has)
        return self.names[int(labels.values[0])] if self.names else f"{float(labels.values[0]):g}"

    def positive_class(self, wanted: str | None, labels: Labels) -> int:
        """Return the id of the class that F1, precision and recall are for; 1 unless there are two classes.

        wanted: its name in data.positive; labels: of the training rows. Raises DataError for a name that does not fit.
        """
        if wanted is None:
            return 1
        what = f"{len(self.names)} classes" if self.names else self.task
        raise DataError(
            f"data.positive={wanted}: only one of two classes can be the positive one, but this task is {what}. "
            "Try: data.positive=null"
        )

    def scale(self, settings: DataSettings, labels: Labels, where: str) -> TargetScale | None:
        """Return the mean and standard deviation by which training standardises the targets; None: it does not."""
        if settings.standardize == "always":
            raise DataError(
                f"data.standardize=always: needs numbers as labels, but this is {self.task}. Try: data.standardize=auto"
            )
        return None

    # --- tokenising

    def input(self, tokenizer: Tokenizer) -> Input | None:
        """Return the input that rows with these labels need; None: it depends on the columns of the table."""
        return None

    def longest(self, max_length: int) -> int:
        """Return how many tokens of a row the token store keeps if the model reads `max_length`."""
        return max_length

    def align(self, labels: Labels, encoded: Encoded) -> Labels:
        """Return the labels of a chunk of rows, with token positions added by targets that label words or tokens."""
        return labels

    def ready(self, tokenizer: Tokenizer, settings: TaskSettings, seed: int | None) -> Target:
        """Return the target to use for a split. seed: the run's, for the training rows; None for other splits."""
        return self

    def arrange(self, split: TokenSplit, settings: DataSettings) -> TokenSplit:
        """Arrange the tokenised rows of a split in the form the model reads; most targets leave them unchanged."""
        return split

    def notes_on(self, split: TokenSplit, settings: DataSettings) -> list[str]:
        """Return notes for the user about an arranged split."""
        return []

    # --- batches

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the rows' targets, by argument name of the task's loss; a target may change the inputs.

        `labels`: (B,), one per row. epoch: the training epoch, for targets that are drawn at random.
        """
        return {"labels": np.asarray(split.labels.values[rows])}


class ColumnTarget(Target):
    """A target that is read from one column of labels, one per row, or needs no column."""

    reads_lists: ClassVar[bool] = False  # may a row have a list of labels (LabelColumn.lists)?

    @classmethod
    @abstractmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Return whether these training labels are of this kind; data.task=auto takes the first target that accepts."""

    @classmethod
    @abstractmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> ColumnTarget:
        """Create the target from the training labels; DataError, with a suggestion, if they do not fit."""

    @abstractmethod
    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return the labels of a split and the numbers of the rows that have one, (rows with a label,).

        name: of the split. Raises DataError for rows without a label unless the settings drop them, and for labels
        that the training rows rule out.
        """
