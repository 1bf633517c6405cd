"""Questions to a deployed model and its answers: named fields, and questions made ready for a model.

A table, a web page or a server goes by the types of the fields and needs to know no task.
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

    type: text: a string; words: a string or a list of words; sound: the bytes of a file, in base64 where they are sent,
    or on a command line its path; label: one of `names`; number: a float; shares: an object
    with a float for each of `names`; tags: a list with one of `names` for each word; labels: a list of some of `names`;
    spans: a list of objects with `type`, `text`, `start` and `end` (characters of the question, the end excluded) and
    `score`.
    """

    name: str
    type: FieldType
    meaning: str  # for people, in a few words
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """Questions made ready for a model."""

    split: TokenSplit  # the rows; their labels mean nothing, its target only says at which places to answer
    whole_lengths: Callable[[], np.ndarray]  # returns `lengths`, for which long texts are tokenised whole
    is_cut: np.ndarray  # (questions,) bool: did it lose tokens because the model reads fewer?
    texts: list[str]  # of each question: what characters are counted in; of a pair the first text
    # Of each question, where its words start and end in its text, (words, 2); None where words mean nothing.
    words: list[np.ndarray] | None = None
    # (questions + 1,): question i is the rows rows[i]:rows[i + 1] of the split; None: one row each.
    rows: np.ndarray | None = None
    longest: int | None = None  # tokens that are kept of a question; None: as many as the model reads

    @cached_property
    def lengths(self) -> np.ndarray:
        """The tokens of each question before any were cut, (questions,)."""
        return self.whole_lengths()

    @cached_property
    def row_bounds(self) -> np.ndarray:
        """Where the rows of each question begin in the split, (questions + 1,)."""
        return np.arange(len(self.split) + 1) if self.rows is None else np.asarray(self.rows)

    @property
    def read_lengths(self) -> np.ndarray:
        """The tokens that are read of each question, (questions,); of one in several rows those of the longest."""
        return np.maximum.reduceat(self.split.lengths, self.row_bounds[:-1])

    def take(self, questions: Sequence[int]) -> Asked:
        """Some of the questions, at least one, in their order."""
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
