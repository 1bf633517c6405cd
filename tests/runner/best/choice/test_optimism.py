"""The corrected score is near the truth where the best of many scores is far too good."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from runner.best.choice.choose import Choice, choose
from runner.best.choice.optimism import corrected_interval, corrected_score
from runner.best.types import Budget, Scored
from runner.statistics.answers import Answers
from runner.statistics.confusion import CLASS_SCORES
from runner.statistics.intervals import wilson_interval

ACCURACY, CAP = CLASS_SCORES["accuracy"], Budget(max_kb=1000)
TRUTH, ROWS, MODELS = 0.85, 500, 20
LATENT = 0.77  # correlation of the normal variables behind two models' answers; being right then has phi of about .5


def drawn(random: np.random.Generator, rows: int = ROWS) -> np.ndarray:
    """(rows, MODELS) bool: which of equally good models are right; what is hard for one is hard for the others."""
    shared, own = random.standard_normal((rows, 1)), random.standard_normal((rows, MODELS))
    return np.asarray(np.sqrt(LATENT) * shared + np.sqrt(1 - LATENT) * own < NormalDist().inv_cdf(TRUTH))


def candidates(right: np.ndarray) -> list[Scored]:
    labels = np.ones(len(right), int)
    return [
        Scored(f"{i}", "kind", 1000 * (i + 1), None, i, (Answers({"label": labels, "prediction": found * 1}),),
               float(found.mean()))
        for i, found in enumerate(right.T)
    ]  # fmt: skip


def test_the_highest_of_twenty_equal_scores_is_two_points_too_good() -> None:
    random = np.random.default_rng(0)
    phi = np.corrcoef(drawn(random, 20_000).T)[np.triu_indices(MODELS, 1)].mean()
    assert phi == pytest.approx(0.5, abs=0.02)
    best = [drawn(random).mean(axis=0).max() for _ in range(500)]
    assert 100 * (np.mean(best) - TRUTH) == pytest.approx(2.11, abs=0.2)


def test_the_corrected_score_is_close_to_the_truth_and_never_far_above_it() -> None:
    random = np.random.default_rng(1)
    found = [corrected_score(candidates(drawn(random)), ACCURACY, CAP, draws=200) for _ in range(60)]
    off = 100 * (np.mean(found) - TRUTH)  # its standard error is .15 points
    assert -0.4 < off < 0.2, off


def test_one_candidate_needs_no_correction_and_its_interval_is_wilsons() -> None:
    (only, *_) = candidates(drawn(np.random.default_rng(2)))
    found = corrected_score([only], ACCURACY, CAP)
    assert found == pytest.approx(only.score, abs=0.002)
    assert corrected_interval([only], ACCURACY, CAP, found) == wilson_interval(found, ROWS)
    assert np.isnan(corrected_score([only], ACCURACY, Budget(max_kb=0.5)))
    f1 = CLASS_SCORES["f1_macro"]
    low, high = f1.interval(only.answers[0])
    moved = corrected_interval([only], f1, CAP, only.score - 0.01)
    assert moved == pytest.approx((low - 0.01, high - 0.01))


@pytest.mark.parametrize("seed", range(5))
def test_a_correction_never_makes_the_winner_look_better(seed: int) -> None:
    few = candidates(drawn(np.random.default_rng(seed)))[:2]
    for compared in (few[:1], few):
        found = choose(compared, ACCURACY, CAP)
        assert isinstance(found, Choice)
        own = next(one.score for one in compared if one.name == found.winner)
        assert corrected_score(compared, ACCURACY, CAP) <= own + 1e-9


def test_the_interval_that_is_moved_is_the_winners() -> None:
    right = np.stack([np.arange(ROWS) < 300, np.arange(ROWS) < 490], axis=1)
    f1, both = CLASS_SCORES["f1"], candidates(right)
    low, high = f1.interval(both[1].answers[0])
    moved = corrected_interval(both, f1, CAP, both[1].score - 0.01)
    assert moved == pytest.approx((low - 0.01, high - 0.01), abs=0.001)
    assert np.isnan(corrected_interval(both, f1, Budget(max_kb=0.5), 0.9)).all(), "nothing fits, so nothing wins"


def test_the_choice_is_repeated_by_its_own_rule() -> None:
    right = drawn(np.random.default_rng(3))
    right[:, 0] = np.arange(ROWS) < 350  # small and bad
    least = Budget(at_least=0.6)
    assert corrected_score(candidates(right), ACCURACY, least) == pytest.approx(0.7, abs=0.01)
    assert corrected_score(candidates(right), ACCURACY, CAP) > 0.8


def test_where_labels_mean_nothing_the_reported_interval_is_seldom_above_the_majority() -> None:
    """200 searches among 20 models on shuffled labels; 2.5 % of the lower ends are expected above one half.

    12 or more of 200 have a chance of .004. By the rows that chose, it would be one search in six.
    """
    random, reported, chosen = np.random.default_rng(4), 0, 0
    for _ in range(200):
        shared = random.standard_normal((2, ROWS, 1))
        says = np.sqrt(LATENT) * shared + np.sqrt(1 - LATENT) * random.standard_normal((2, ROWS, MODELS)) > 0
        selection, report = says == random.integers(2, size=(2, ROWS, 1))
        found = choose(candidates(selection), ACCURACY, CAP)
        assert isinstance(found, Choice)
        winner = int(found.winner)
        reported += wilson_interval(float(report[:, winner].mean()), ROWS)[0] > 0.5
        chosen += wilson_interval(float(selection[:, winner].mean()), ROWS)[0] > 0.5
    assert reported <= 11 and chosen >= 20, (reported, chosen)
