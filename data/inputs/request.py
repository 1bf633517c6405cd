"""Questions to a deployed model and its answers: named fields, and questions prepared for a model.

A table, a web page or a server uses only the types of the fields and does not depend on the task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from data.splits import TokenSplit

FieldType = Literal["text", "words", "sound", "label", "number", "shares", "spans", "tags", "labels"]


@dataclass(frozen=True)
class Field:
    """One field of a question or an answer.

    type: text: a string; words: a string or a list of words; sound: the bytes of a file (in base64 in requests, or its
    path on a command line); label: one of `names`; number: a float; shares: an object with a float for each of `names`;
    tags: a list with one of `names` for each word; labels: a list of some of `names`; spans: a list of objects with
    `type`, `text`, `start` and `end` (characters of the question, end exclusive) and `score`.
    """

    name: str
    type: FieldType
    meaning: str  # for people, in a few words
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Questions prepared for a model."""

    split: TokenSplit  # the rows; their labels are placeholders that only mark the places to predict
    whole_lengths: Callable[[], np.ndarray]  # computes `lengths`, which may need long texts to be tokenised in full
    is_cut: np.ndarray  # (questions,) bool: was it truncated because the model reads fewer tokens?
    texts: list[str]  # of each question, the text that character positions refer to
    # Where the words of each question start and end in its text, (words, 2); None if words are not needed.
    words: list[np.ndarray] | None = None
    # (questions + 1,): question i is the rows rows[i]:rows[i + 1] of the split; None: one row each.
    rows: np.ndarray | None = None
    longest: int | None = None  # maximum number of tokens kept of a question; None: as many as the model reads

    @cached_property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each question before truncation, (questions,)."""
        return self.whole_lengths()

    @cached_property
    def row_bounds(self) -> np.ndarray:
        """Where the rows of each question begin in the split, (questions + 1,)."""
        return np.arange(len(self.split) + 1) if self.rows is None else np.asarray(self.rows)

    @property
    def read_lengths(self) -> np.ndarray:
        """The number of tokens read of each question, (questions,); with several rows, that of the longest row."""
        return np.maximum.reduceat(self.split.lengths, self.row_bounds[:-1])

    def take(self, questions: Sequence[int]) -> Asked:
        """Return some of the questions, at least one, in the given order."""
        numbers, bounds = np.asarray(questions), self.row_bounds
        rows = np.concatenate([np.arange(bounds[number], bounds[number + 1]) for number in numbers])
        counts = np.diff(bounds)[numbers]
        return replace(
            self,
            split=self.split.take(rows) if self.split.parts is None else self.split.take_sources(numbers),
            whole_lengths=lambda: self.lengths[numbers],
            is_cut=self.is_cut[numbers],
            texts=[self.texts[number] for number in numbers],
            words=None if self.words is None else [self.words[number] for number in numbers],
            rows=None if self.rows is None else np.concatenate([[0], np.cumsum(counts)]),
        )
