"""Questions to a deployed model and its answers: named fields, and questions made ready for a model.

A table, a web page or a server goes by the types of the fields and needs to know no task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from data.splits import TokenSplit

FieldType = Literal["text", "words", "label", "number", "shares", "spans", "tags", "labels"]


@dataclass(frozen=True)
class Field:
    """One field of a question or an answer.

    type: text: a string; words: a string or a list of words; label: one of `names`; number: a float; shares: an object
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
