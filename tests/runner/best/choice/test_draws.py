"""Scores of candidates on the same rows: errors of differences, repeats that count a row once, and draws."""

from __future__ import annotations

import numpy as np
import pytest

from runner.best.choice.draws import Draws, sign_of
from runner.best.types import Scored
from runner.statistics.answers import Answers
from runner.statistics.confusion import CLASS_SCORES
from runner.statistics.correlation import NUMBER_SCORES
from runner.statistics.scores import Score
from runner.tasks.mlm import MASKED_WORD_SCORES
from tests.runner.best.candidates import ACCURACY, BEST, B, C, D, against_best, scored


def test_differences_have_the_standard_error_of_rows_answered_by_both() -> None:
    draws = Draws([BEST, B, C, D], ACCURACY)
    assert draws.scores[0] - draws.scores[1:] == pytest.approx([0.006, 0.020, 0.004])
    assert draws.spreads[0] == pytest.approx([0, 0.007346, 0.009980, 0.009999], abs=5e-7)
    again = Draws([scored("twice", [against_best(0, 0)] * 2), scored("B", [against_best(30, 24)] * 2)], ACCURACY)
    assert again.spreads[0, 1] == pytest.approx(0.007346, abs=5e-7), "rows count once, however many repeats"


def of_classes(share: float, score: Score) -> Scored:
    random = np.random.default_rng(0)
    labels = random.integers(3, size=400)
    predictions = np.where(np.random.default_rng(1).random(400) < share, labels, random.integers(3, size=400))
    return scored(f"{share}", Answers({"label": labels, "prediction": predictions}), score=score)


def test_scores_that_are_no_means_use_the_bootstrap() -> None:
    f1 = CLASS_SCORES["f1_macro"]
    both = [of_classes(0.9, f1), of_classes(0.5, f1)]
    draws, plain = Draws(both, f1), Draws(both, ACCURACY)
    assert draws.parts is None and draws.spreads[0, 1] == pytest.approx(plain.spreads[0, 1], rel=0.15)
    assert draws.scores == pytest.approx([f1.value(one.answers[0]) for one in both])


def test_a_draw_and_the_rows_outside_it_share_no_row() -> None:
    alone = [
        scored(f"{i}", Answers({"label": np.ones(3, int), "prediction": (np.arange(3) == i) * 1})) for i in (0, 1, 2)
    ]
    inside, outside = Draws(alone, ACCURACY, 50).resampled
    assert inside.shape == outside.shape == (50, 3) and inside.sum(axis=1) == pytest.approx(1.0)
    assert not ((inside > 0) & (outside > 0)).any()


def test_sentences_and_blocks_are_drawn_as_a_whole() -> None:
    perplexity = MASKED_WORD_SCORES["perplexity"]
    sums = Answers({"loss": np.array([3.0, 5.0]), "right": np.array([1.0, 0.0]), "masked": np.array([2.0, 2.0])})
    draws = Draws([scored("a", sums, score=perplexity), scored("b", sums, score=perplexity)], perplexity, 20)
    assert draws.sign == -1.0 and draws.scores == pytest.approx([-np.exp(2.0)] * 2)
    assert draws.spreads.shape == (2, 2) and draws.spreads[0, 1] == 0
    assert sign_of(NUMBER_SCORES["mse"]) == -1.0 and sign_of(ACCURACY) == 1.0
