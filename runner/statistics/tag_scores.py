"""Scores of tagged words; the bootstrap resamples sentences, never single words or entities.

Tags of a scheme (B-PER, I-PER) are scored as entities, plain tags (COMMA, PERIOD) word by word, excluding the "nothing"
tag. If words have two labels, names of the scores of the second start with `second_`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.targets.tag_schemes import NOTHING, is_plain
from runner.statistics import tag_counts
from runner.statistics.answers import Answers
from runner.statistics.scores import Score, SumScore

SECOND = "second_"
OfSums = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class TagScore(SumScore):
    """A score from the counts of right, predicted and actual in each sentence, for a word's first or second label."""

    name: str
    of: OfSums  # from (..., 3, kinds) to (...)
    prefix: str = ""

    def column(self, answers: Answers, name: str) -> np.ndarray:
        """Return the labels or predictions that this score is about, (items,)."""
        return answers[self.prefix + name]

    def names(self, answers: Answers) -> tuple[str, ...]:
        """Return the tags that this score is about, in id order."""
        return answers.second_names if self.prefix else answers.names

    def counts(self, answers: Answers) -> np.ndarray:
        """Return (N, 3, kinds): right, predicted, actual words of each sentence and tag, without the "nothing" tag."""
        names = self.names(answers)
        labels, predicted = self.column(answers, "label"), self.column(answers, "prediction")
        found = tag_counts.class_counts(labels, predicted, sentences(answers), len(names))
        return found[:, :, 1:] if names[0] in NOTHING else found

    def parts(self, answers: Answers) -> np.ndarray:
        """Return the three counts of each sentence, per kind for the macro F1, otherwise summed over kinds."""
        found = self.counts(answers)
        if self.of is not tag_counts.f1_macro:
            found = found.sum(axis=2, keepdims=True)
        return found.reshape(len(found), -1).astype(np.float64)

    def scored_rows(self, answers: Answers) -> np.ndarray | None:
        """Return the sentences on which this score depends, (N,) bool, as `is_scored` finds them in the counts."""
        return tag_counts.is_scored(self.of, self.counts(answers))

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the scores (R,) of sums (R, 3 kinds)."""
        return self.of(sums.reshape(len(sums), 3, -1))


@dataclass(frozen=True)
class EntityScore(TagScore):
    """A score of entities: type, first and last word must be right. strict: only legal IOB2 sequences count."""

    strict: bool = False

    def counts(self, answers: Answers) -> np.ndarray:
        """Return (N, 3, types): right, predicted, actual entities of each sentence and type."""
        labels, predicted = self.column(answers, "label"), self.column(answers, "prediction")
        names = self.names(answers)
        return tag_counts.entity_counts(labels, predicted, sentences(answers), names, strict=self.strict)


@dataclass(frozen=True)
class TokenAccuracy(TagScore):
    """The share of words whose tag is right, including the "nothing" tag."""

    def counts(self, answers: Answers) -> np.ndarray:
        """Return (N, 3, 1): the right words of each sentence; predicted and actual both count all words."""
        right = self.column(answers, "label") == self.column(answers, "prediction")
        found = np.stack([right, np.ones_like(right), np.ones_like(right)], axis=1).astype(np.int64)
        return answers.sums(found)[:, :, None]


def sentences(answers: Answers) -> np.ndarray:
    """Return where the words of each sentence begin, (sentences + 1,)."""
    return np.arange(answers.items + 1) if answers.offsets is None else answers.offsets


def _of(prefix: str) -> list[Score]:
    """Return the scores of the first label of words, or of the second."""
    f1, precision, recall, macro = tag_counts.f1, tag_counts.precision, tag_counts.recall, tag_counts.f1_macro
    return [
        EntityScore(f"{prefix}entity_f1", f1, prefix),
        EntityScore(f"{prefix}entity_precision", precision, prefix),
        EntityScore(f"{prefix}entity_recall", recall, prefix),
        EntityScore(f"{prefix}entity_f1_macro", macro, prefix),
        EntityScore(f"{prefix}entity_f1_strict", f1, prefix, strict=True),
        TagScore(f"{prefix}tag_f1_macro", macro, prefix),
        TagScore(f"{prefix}tag_f1", f1, prefix),
        TagScore(f"{prefix}tag_precision", precision, prefix),
        TagScore(f"{prefix}tag_recall", recall, prefix),
        TokenAccuracy(f"{prefix}token_accuracy", f1, prefix),
    ]


TAG_SCORES: dict[str, Score] = {score.name: score for prefix in ("", SECOND) for score in _of(prefix)}


def scores_for(names: tuple[str, ...], prefix: str = "") -> tuple[str, ...]:
    """Return the names of the scores that fit these tags, the main one first."""
    begun = "tag_" if is_plain(names) else "entity_"
    return tuple(name for name in TAG_SCORES if name.startswith((prefix + begun, prefix + "token_")))
