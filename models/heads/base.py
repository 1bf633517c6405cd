"""Which head a network gets: asked for by the caller, or described by a saved config.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LABEL_SETS = "multi_label_classification"  # the problem_type of a head whose outputs are decided one by one
NUMBER = "regression"  # that of a head whose output is a number
Reads = Literal["text", "tokens"]  # one vector a text, or one a token


@dataclass(frozen=True)
class HeadSpec:
    """The head to put on a backbone; nothing here knows a task."""

    name: str = "text"  # a key of models/heads/attach.py's HEADS: text | token | span | words
    outputs: int = 1  # numbers for each text, or for each token; the head for words has one for each word
    problem_type: str | None = None  # transformers' word for the loss, written to config.json
    output: str = "tied"  # of the head for words: where its output table comes from, tied | own | fixed

    @property
    def has_label_sets(self) -> bool:
        """Is each output decided by itself, with a sigmoid?"""
        return self.problem_type == LABEL_SETS

    @property
    def has_number(self) -> bool:
        """Is the output a number, in the unit of the targets?"""
        return self.problem_type == NUMBER

    @property
    def deciding(self) -> int:
        """How many numbers decide: of two classes their difference alone."""
        return 1 if self.outputs == 2 and not self.has_label_sets else self.outputs
