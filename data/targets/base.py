"""A target is what rows are labelled with: how labels are read, and how they reach a batch.

Nothing else in data/ knows the kinds of labels: what differs between them is a method here.
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
    """Base class of all kinds of labels; made from the training rows."""

    name: ClassVar[str]  # by which a task names its target
    columns: tuple[int, ...] = ()  # where an item has several labels: the number of classes of each
    has_empty: bool = False  # is no answer at all the right one for some rows? Known after `check`
    task: ClassVar[str]  # the value of data.task that asks for it; also what messages call the data

    def __init__(self, names: tuple[str, ...] = (), notes: list[str] | None = None) -> None:
        self.names = names  # of the classes, in id order; () without classes
        self.notes = notes or []  # what the user is told once

    # --- before the rows are tokenised

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the labels of all splits by name as they are stored.

        where: the training rows' name in messages. Raises DataError for labels that nothing can be learnt from.
        """
        return dict(labels)

    def strata(self, labels: Labels) -> np.ndarray | None:
        """Return the class of each row, (rows,), whose shares all splits keep; None: rows are drawn regardless."""
        return None

    def members(self, labels: Labels) -> np.ndarray | None:
        """Return which labels each row has, (rows, C) bool, whose shares all splits keep; None: `strata` says."""
        return None

    def groups(self, labels: Labels) -> np.ndarray | None:
        """Return a number for each row, (rows,), which rows of one split share; None: each may be in any split."""
        return None

    def tally(self, labels: Labels) -> tuple[tuple[str, ...], np.ndarray, str]:
        """Return names of what rows are labelled with, how often each occurs, and what is counted: rows or words.

        For people who look at their data; of words with two tags the first counts. Not for targets without names.
        """
        names = self.names[: self.columns[0]] if self.columns else self.names
        values = np.asarray(labels.values).reshape(len(labels.values), -1)[:, 0].astype(np.int64)
        return names, np.bincount(values, minlength=len(names)), "rows" if labels.offsets is None else "words"

    def in_words(self, labels: Labels) -> str:
        """Return the label of one row in words, or its set of labels; "" where its words have labels of their own."""
        if labels.offsets is not None or not len(labels.values):
            return ""
        if labels.values.ndim == 2:
            return ", ".join(name for name, has in zip(self.names, labels.values[0].tolist()) if has)
        return self.names[int(labels.values[0])] if self.names else f"{float(labels.values[0]):g}"

    def positive_class(self, wanted: str | None, labels: Labels) -> int:
        """Return the id of the class that F1, precision and recall are for; 1 unless there are two classes.

        wanted: its name in data.positive; labels: of the training rows. Raises DataError for a name that cannot be.
        """
        if wanted is None:
            return 1
        what = f"{len(self.names)} classes" if self.names else self.task
        raise DataError(
            f"data.positive={wanted}: only one of two classes can be the positive one, and this task is {what}. "
            "Try: data.positive=null"
        )

    def scale(self, settings: DataSettings, labels: Labels, where: str) -> TargetScale | None:
        """Return mean and standard deviation with which training standardises the targets; None: it does not."""
        if settings.standardize == "always":
            raise DataError(
                f"data.standardize=always: needs numbers as labels, and this is {self.task}. Try: data.standardize=auto"
            )
        return None

    # --- tokenising

    def input(self, tokenizer: Tokenizer) -> Input | None:
        """Return the input that rows with these labels need; None: the columns of the table say which."""
        return None

    def longest(self, max_length: int) -> int:
        """Return how many tokens of a row the token store keeps, where the model reads `max_length`."""
        return max_length

    def align(self, labels: Labels, encoded: Encoded) -> Labels:
        """Return the labels of a chunk of rows with the places of their tokens, for targets that label words."""
        return labels

    def ready(self, tokenizer: Tokenizer, settings: TaskSettings, seed: int | None) -> Target:
        """Return the target as a split needs it. seed: of the run, for the training rows; None for the others."""
        return self

    def arrange(self, split: TokenSplit, settings: DataSettings) -> TokenSplit:
        """Lay out the tokenised rows of a split as the model reads them; most targets leave them as they are."""
        return split

    def notes_on(self, split: TokenSplit, settings: DataSettings) -> list[str]:
        """Return what the user should know about a split that is laid out."""
        return []

    # --- batches

    def collate(self, split: TokenSplit, rows: np.ndarray, inputs: Arrays, epoch: int) -> Arrays:
        """Return the rows' targets, by the names that the task's loss takes; a target may change the inputs.

        `labels`: (B,), one a row. epoch: of the training, for targets that are drawn.
        """
        return {"labels": np.asarray(split.labels.values[rows])}


class ColumnTarget(Target):
    """A target that is read from one column of labels, one a row, or from none."""

    reads_lists: ClassVar[bool] = False  # may a row have a list of labels (LabelColumn.lists)?

    @classmethod
    @abstractmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Are these training labels of this kind? data.task=auto takes the first target that says so."""

    @classmethod
    @abstractmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> ColumnTarget:
        """Make the target from the training labels; DataError, with the way to go on, if they do not fit."""

    @abstractmethod
    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return the labels of a split and the numbers of the rows that have one, (rows with a label,).

        name: of the split. Raises DataError for rows without a label unless the settings drop them, and for labels
        that the training rows do not allow.
        """
