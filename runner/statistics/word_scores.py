"""Scores of masked words, computed from sums of loss, right words and masked words over blocks of text."""

from __future__ import annotations

import numpy as np

from runner.statistics.answers import Answers
from runner.statistics.scores import Score, SumScore

WORD_SUMS = ("loss", "right", "masked")  # the columns of the answers: nats, words, words
MOST = 700.0  # nats; exp overflows above it, and only a diverged training has such a mean loss


class WordScore(SumScore):
    """A score of the three sums of each block; words of one text are not independent, so blocks are resampled."""

    def parts(self, answers: Answers) -> np.ndarray:
        """Return the three sums of each block, (N, 3) float64."""
        return np.stack([answers[name] for name in WORD_SUMS], axis=1).astype(np.float64)


class Perplexity(WordScore):
    """exp of the mean loss of a masked word."""

    name = "perplexity"

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the perplexities (R,) of sums (R, 3)."""
        return np.exp(np.minimum(sums[:, 0] / np.maximum(sums[:, 2], 1.0), MOST))


class MaskedAccuracy(WordScore):
    """Share of the masked words that are guessed right."""

    name = "masked_accuracy"

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the shares (R,) of sums (R, 3)."""
        return np.asarray(sums[:, 1] / np.maximum(sums[:, 2], 1.0))


MASKED_WORD_SCORES: dict[str, Score] = {score.name: score for score in (Perplexity(), MaskedAccuracy())}
