"""The best answer of each question from the scores of its tokens, over all windows of its context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from data.inputs.context_windows import trimmed
from data.splits import TokenSplit
from runner.tasks.best_span import best_span


@dataclass(frozen=True)
class DecodedSpans:
    """The best non-empty answer of each question, and the score of no answer."""

    first: np.ndarray  # (questions,) int64: its first token, among all tokens of all windows; -1: no token may answer
    last: np.ndarray  # (questions,) int64: its last token
    start: np.ndarray  # (questions,) int64: its first character in the context
    end: np.ndarray  # (questions,) int64: the character after its last
    score: np.ndarray  # (questions,) float64: start logit + end logit; -inf where no token may answer
    null: np.ndarray  # (questions,) float64: start logit + end logit of the first token, the minimum over the windows

    @property
    def margin(self) -> np.ndarray:
        """How far the score of no answer is above that of the answer, (questions,)."""
        return self.null - self.score

    def place(self, question: int, context: str) -> tuple[int, int]:
        """Return where an answer starts and ends in its context, in characters."""
        return trimmed(context, int(self.start[question]), int(self.end[question]))

    def texts(self, contexts: Sequence[str]) -> list[str]:
        """Return the text of each answer: a part of its context, never a joined string of tokens."""
        return [context[slice(*self.place(question, context))] for question, context in enumerate(contexts)]


def decode_spans(kept: np.ndarray, split: TokenSplit, max_answer: int) -> DecodedSpans:
    """Return the best answers from the logits (tokens, 2) of all windows; the first of equally good ones.

    An answer lies in the context and has at most `max_answer` tokens. Over the windows of a question its score is the
    maximum and that of no answer the minimum, as in google-research/bert's run_squad.py; a token in two windows may
    answer in either.
    """
    characters, offsets = split.labels.characters, split.labels.offsets
    assert characters is not None, "contexts are stored with their characters"
    assert offsets is not None
    is_context, windows = np.asarray(characters)[:, 0] >= 0, np.asarray(offsets).tolist()
    found = np.full((len(windows) - 1, 2), -1, np.int64)
    scores = np.full(len(found), -np.inf)
    for window, (begin, end) in enumerate(pairwise(windows)):
        places = begin + np.flatnonzero(is_context[begin:end])
        if len(places):
            starts, ends = kept[places].astype(np.float64).T
            first, last, scores[window] = best_span(starts, ends, max_answer)
            found[window] = places[first], places[last]
    nulls = kept[np.asarray(offsets[:-1])].sum(1, dtype=np.float64)
    rows = np.arange(len(found) + 1) if split.parts is None else np.asarray(split.parts)
    chosen = np.array([begin + scores[begin:end].argmax() for begin, end in pairwise(rows.tolist())], np.int64)
    first, last = found[chosen].T
    edges = np.stack([np.asarray(characters)[first, 0], np.asarray(characters)[last, 1]], 1).astype(np.int64)
    edges[first < 0] = 0
    least = np.minimum.reduceat(nulls, rows[:-1])
    return DecodedSpans(first, last, edges[:, 0], edges[:, 1], scores[chosen], least)
