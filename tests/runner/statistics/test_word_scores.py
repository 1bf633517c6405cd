"""Scores of the sums of blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.statistics.word_scores import MASKED_WORD_SCORES


def answers(*blocks: tuple[float, float, float]) -> Answers:
    loss, right, masked = np.float32(blocks).T
    return Answers({"loss": loss, "right": right, "masked": masked})


def test_losses_and_hits_are_summed_over_blocks_before_they_are_divided() -> None:
    found = answers((6.0, 1, 2), (0.0, 0, 0), (2.0, 2, 6))
    assert MASKED_WORD_SCORES["perplexity"].value(found) == pytest.approx(math.e)
    assert MASKED_WORD_SCORES["masked_accuracy"].value(found) == pytest.approx(3 / 8)
    low, high = MASKED_WORD_SCORES["perplexity"].interval(found)
    assert low < math.e < high


def test_a_diverged_loss_and_no_masked_word_at_all_are_numbers() -> None:
    assert math.isfinite(MASKED_WORD_SCORES["perplexity"].value(answers((1e6, 0, 1))))
    assert MASKED_WORD_SCORES["masked_accuracy"].value(answers((0, 0, 0))) == 0.0


def test_two_models_of_the_same_blocks_are_compared() -> None:
    random = np.random.default_rng(0)
    masked = random.integers(5, 20, 60)
    better, worse = (answers(*zip(masked * random.normal(level, 0.1, 60), masked // 3, masked)) for level in (3, 4))
    name, p, interval = MASKED_WORD_SCORES["perplexity"].compare([(better, worse)])
    assert name == "paired bootstrap" and p < 0.001 and interval.high < 0
