"""Findings about the mistakes of a run with classes: plain data for the page, the table and the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.mistakes.run_data import Place
from runner.statistics.intervals import wilson_interval
from runner.statistics.slices import SliceResult

SURE = 0.95  # of the bound beside a share of 1


@dataclass(frozen=True)
class ClassScores:
    """The answers about one class."""

    name: str
    rows: int
    answered: int
    right: int
    taken_for: tuple[
        tuple[str, int], ...
    ] = ()  # the classes that its rows were most often answered with, and how often

    @property
    def f1(self) -> float:
        """The F1 score; 0 for a class that is neither labelled nor answered."""
        return 2 * self.right / max(1, self.rows + self.answered)

    @property
    def recall(self) -> str:
        """The share of its rows that is answered correctly, with its interval, in words."""
        return share_in_words(self.right, self.rows)

    @property
    def precision(self) -> str:
        """The share of the answers of this class that is right, with its interval, in words."""
        return share_in_words(self.right, self.answered)


@dataclass(frozen=True)
class Near:
    """A training row near a row."""

    place: Place
    label: str
    text: str
    similarity: float


@dataclass(frozen=True)
class Mistake:
    """A row that was answered wrongly."""

    index: int  # in the split
    label: str
    answer: str
    confidence: float
    of_label: float | None  # the share of its label
    place: Place | None = None
    text: str | None = None
    near: tuple[Near, ...] = ()


@dataclass(frozen=True)
class SuspectLabel:
    """A training row, or one set aside to calibrate on, whose label may be wrong."""

    place: Place
    label: str
    likelier: str
    of_label: float  # by the n-gram model
    of_likelier: float
    text: str
    split: str = "train"


@dataclass(frozen=True)
class SuspectLabels:
    """The training rows, and those set aside, that may be mislabelled, most doubtful first."""

    flagged: tuple[SuspectLabel, ...]
    rows: int  # looked at
    accuracy: float  # of the n-gram models on rows that they did not see
    apart: int = 0  # of the rows looked at, those set aside to calibrate on
    left_out: int = 0  # training rows that are not in the sample looked at
    majority: float = 0.0  # share of the rows looked at that are of the largest class

    @property
    def can_tell(self) -> bool:
        """Are the models better than a constant? Otherwise neither flags nor their absence mean anything."""
        return self.accuracy > self.majority

    @property
    def worth(self) -> str:
        """A clause on how far to trust the flags, or their absence."""
        if self.can_tell:
            return "about half of the first 100 may be wrong labels, the others hard or rare rows"
        return (
            f"a weak hint: the accuracy of the n-gram models behind it is {self.accuracy:.3f}, that of always "
            f"answering the largest class {self.majority:.3f}"
        )

    @property
    def kinds(self) -> str:
        """Which rows were examined, as an adjective."""
        return "training and calibration" if self.apart else "training"


@dataclass(frozen=True)
class Copy:
    """A row of the split whose text, or almost the same one, is in train; case and punctuation are ignored."""

    place: Place
    train_place: Place
    label: str
    train_label: str
    similarity: float
    text: str


@dataclass(frozen=True)
class Copies:
    """Rows of a split that are also in train."""

    equal: int  # rows whose text, except for case and punctuation, is in train
    equal_right: int
    other_label: int  # of them, rows whose label no row of that text in train has
    near: int  # rows with an almost equal text, among those looked up
    looked_up: int
    compared_with: int
    shown: tuple[Copy, ...]
    apart: int | None = None  # rows whose text is among those set aside to calibrate on; None if no others are


@dataclass(frozen=True)
class Findings:
    """Everything known about the mistakes of a run on one split."""

    title: str
    identity: str
    split: str
    rows: int
    right: int
    classes: tuple[ClassScores, ...]  # in id order
    counts: list[list[int]]  # (C, C), rows are labels, columns answers
    confidence_word: str
    mistakes: tuple[Mistake, ...]  # all, the most confident first
    shown: tuple[Mistake, ...]  # the first of them, with neighbours
    slices: tuple[SliceResult, ...] = ()
    suspects: SuspectLabels | str = "not looked for"
    copies: Copies | None = None
    no_texts: str | None = None  # why texts cannot be shown
    has_scores: bool = True  # are the shares of the classes known?
    notes: tuple[str, ...] = field(default=())
    no_train: str | None = None  # why the rows are not compared with those of train

    @property
    def accuracy(self) -> str:
        """The share of rows answered correctly, with its interval."""
        return share_in_words(self.right, self.rows)

    @property
    def weakest(self) -> list[ClassScores]:
        """The classes that occur, the lowest F1 first."""
        return sorted((one for one in self.classes if one.rows), key=lambda one: (one.f1, -one.rows))


def share_in_words(some: int, whole: int) -> str:
    """Return a share with its Wilson interval; if it is all rows, their number and a one-sided bound, rounded down."""
    if not whole:
        return "-"
    if some == whole:
        least = math.floor(1000 * (1 - SURE) ** (1 / whole)) / 10
        return f"{some:,} of {whole:,} (at least {least:.1f} % with 95 % confidence)"
    low, high = wilson_interval(some / whole, whole)
    return f"{some / whole:.3f} [{low:.3f}, {high:.3f}]"


def most_of(pairs: Sequence[tuple[str, int]]) -> str:
    """Return names with their counts: "fraud (12), other (3)"."""
    return ", ".join(f"{name} ({count:,})" for name, count in pairs)
