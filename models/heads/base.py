"""Specifies a network's head, as requested by the caller or described by a saved config.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LABEL_SETS = "multi_label_classification"  # problem_type of a head that decides each label separately
NUMBER = "regression"  # problem_type of a head that predicts a number
Reads = Literal["text", "tokens"]  # one vector per text, or one per token


@dataclass(frozen=True)
class HeadSpec:
    """The head to attach to a backbone; independent of any task."""

    name: str = "text"  # a key of models/heads/attach.py's HEADS: text | token | span | words
    outputs: int = 1  # numbers per text or token; the head for words has one per word instead
    problem_type: str | None = None  # transformers' name for the loss, written to config.json
    output: str = "tied"  # for the head for words: where its output table comes from, tied | own | fixed

    @property
    def has_label_sets(self) -> bool:
        """Is each label decided separately, with a sigmoid?"""
        return self.problem_type == LABEL_SETS

    @property
    def has_number(self) -> bool:
        """Is the output a number, in the unit of the targets?"""
        return self.problem_type == NUMBER

    @property
    def deciding(self) -> int:
        """How many numbers determine the answer; for two classes just one, the difference of their logits."""
        return 1 if self.outputs == 2 and not self.has_label_sets else self.outputs
