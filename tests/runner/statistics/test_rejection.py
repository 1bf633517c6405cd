"""Golden values, and the promise itself over simulated models whose true error rate is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from runner.statistics.rejection import (
    ALL,
    NoThreshold,
    Threshold,
    answered_counts,
    chance_of_errors,
    clopper_pearson,
    find_threshold,
    least_rows,
    smallest_promise,
)

# Of 1,000 rows, the surest first: which are mistakes.
MISTAKES = [30, 120, 260, 300, 420, 480, 520, 560, 610, 650, 690, 700, 720, 740, 760, 780,
            *range(800, 901, 10), *range(905, 996, 5)]  # fmt: skip


def golden_rows() -> tuple[np.ndarray, np.ndarray]:
    is_wrong = np.zeros(1000, bool)
    is_wrong[MISTAKES] = True
    return np.linspace(0.999, 0.5, 1000), is_wrong


@pytest.mark.parametrize(
    ("errors", "rows", "upper"),
    [(0, 59, 0.049508), (0, 58, 0.050339), (0, 299, 0.009969), (3, 200, 0.038310), (10, 300, 0.055885),
     (40, 1000, 0.051753)],
)  # fmt: skip
def test_upper_ends_are_exact(errors: int, rows: int, upper: float) -> None:
    assert clopper_pearson(errors, rows)[1] == pytest.approx(upper, abs=5e-7)


def test_both_ends_are_scipys() -> None:
    for right, rows in [(0, 9), (9, 9), (12, 40)]:
        expected = stats.binomtest(right, rows).proportion_ci(method="exact")
        assert clopper_pearson(right, rows, 0.975) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_chances_of_so_few_errors() -> None:
    found = chance_of_errors(np.array([0, 3, 10, 40]), np.array([59, 200, 300, 1000]), 0.05)
    assert found == pytest.approx([0.048495, 0.009048, 0.112301, 0.080637], abs=5e-7)


def test_the_fewest_rows_that_can_show_it() -> None:
    assert [least_rows(alpha, 0.05 / 3) for alpha in (0.05, 0.02, 0.01)] == [80, 203, 408]
    assert [least_rows(alpha, 0.05) for alpha in (0.05, 0.02, 0.01)] == [59, 149, 299]


def test_the_golden_rows_answer_930() -> None:
    confidence, is_wrong = golden_rows()
    assert is_wrong.sum() == 46
    found = find_threshold(confidence, is_wrong, 0.05)
    assert isinstance(found, Threshold) and (found.answered, found.errors) == (930, 32)
    assert confidence[930] <= found.threshold < confidence[929]
    chances = chance_of_errors(np.array([32, 30]), np.array([930, 920]), 0.05)
    assert chances == pytest.approx([0.013982, 0.006812], abs=5e-7)
    assert isinstance(find_threshold(confidence, is_wrong, 0.02), NoThreshold)


def test_the_three_sequences_reach_their_own_ends() -> None:
    """A sequence stops at its first failure, so that the second one ends at 920 although 930 would pass."""
    confidence, is_wrong = golden_rows()
    errors = np.cumsum(is_wrong)
    ends = []
    for counts in answered_counts(confidence, 80, 1000):
        passed = chance_of_errors(errors[counts - 1], counts, 0.05) <= 0.05 / 3
        ends.append(int(counts[passed.argmin() - 1]))
    assert ends == [930, 920, 930]


def test_the_order_of_rows_means_nothing() -> None:
    confidence, is_wrong = golden_rows()
    rounded = confidence.round(2)
    expected = find_threshold(rounded, is_wrong, 0.05)
    rng = np.random.default_rng(0)
    for _ in range(5):
        order = rng.permutation(1000)
        assert find_threshold(rounded[order], is_wrong[order], 0.05) == expected


def test_equal_confidences_are_answered_together() -> None:
    confidence, is_wrong = golden_rows()
    rounded = confidence.round(1)
    found = find_threshold(rounded, is_wrong, 0.05)
    assert isinstance(found, Threshold)
    assert (rounded > found.threshold).sum() == found.answered
    assert is_wrong[rounded > found.threshold].sum() == found.errors


def test_the_next_row_is_not_answered_by_an_engine_that_rounds_otherwise() -> None:
    confidence, is_wrong = golden_rows()
    found = find_threshold(confidence, is_wrong, 0.05)
    assert isinstance(found, Threshold) and found.threshold == pytest.approx(confidence[930] + 1e-6, abs=1e-12)


@pytest.mark.parametrize("gap", [1e-8, 1e-6, 1.5e-6, 0.1])
def test_a_close_pair_of_confidences_is_cut_between_them(gap: float) -> None:
    confidence = np.concatenate([np.full(497, 0.9), [0.5 + gap], np.full(102, 0.5)])
    found = find_threshold(confidence, np.arange(600) >= 498, 0.05)
    assert isinstance(found, Threshold) and found.answered == 498
    assert 0.5 < found.threshold < 0.5 + gap


def test_a_model_without_mistakes_answers_all() -> None:
    found = find_threshold(np.linspace(0.5, 1, 200), np.zeros(200, bool), 0.05)
    assert found == Threshold(ALL, 200, 0)


def test_too_few_rows_are_refused_with_their_number() -> None:
    found = find_threshold(np.linspace(0.5, 1, 300), np.zeros(300, bool), 0.01)
    assert isinstance(found, NoThreshold)
    assert found.reason == "it needs at least 408 rows without a single mistake, but has 300"
    assert isinstance(find_threshold(np.zeros(0), np.zeros(0, bool), 0.05), NoThreshold)


def test_more_models_on_the_same_rows_need_more_evidence() -> None:
    confidence, is_wrong = golden_rows()
    found = [find_threshold(confidence, is_wrong, 0.05, models=models) for models in (1, 20, 1000)]
    counts = [one.answered for one in found if isinstance(one, Threshold)]
    assert len(counts) == 3 and counts[0] > counts[1] > counts[2]


def test_the_smallest_promise_that_holds() -> None:
    confidence, is_wrong = golden_rows()
    found = smallest_promise(confidence, is_wrong)
    assert found is not None
    alpha, threshold = found
    assert find_threshold(confidence, is_wrong, alpha) == threshold
    assert isinstance(find_threshold(confidence, is_wrong, round(alpha - 0.01, 2)), NoThreshold)
    assert smallest_promise(confidence, np.ones(1000, bool)) is None
    for how in ({"models": 1000}, {"delta": 0.00005}, {"usual": 400}):
        other = smallest_promise(confidence, is_wrong, **how)  # type: ignore[arg-type]
        assert other is not None and other != found
        assert other[1] == find_threshold(confidence, is_wrong, other[0], **how)  # type: ignore[arg-type]


# Simulated models: s uniform in 0..1 is the rank of the confidence, the function the chance of a mistake there.
def good(s: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * np.exp(-6 * s))


def weak(s: np.ndarray) -> np.ndarray:
    return np.asarray(0.45 * np.exp(-2.2 * s))


def bump(s: np.ndarray) -> np.ndarray:
    return np.where(s > 0.93, 0.06, 0.4 * np.exp(-5 * s))


GRID = (np.arange(20000) + 0.5) / 20000
Model = Callable[[np.ndarray], np.ndarray]


def true_risk(model: Model, threshold: float, digits: int = 12) -> float:
    """The error rate among all texts above a threshold."""
    return float(model(GRID)[GRID.round(digits) > threshold].mean())


def simulated(model: Model, rows: int, draws: int, *, digits: int = 12) -> tuple[float, float, float]:
    """Shares of draws above 5 % and with an answer, and the mean answered share."""
    rng, violated, answered = np.random.default_rng(0), 0, []
    for _ in range(draws):
        s = rng.random(rows)
        is_wrong = rng.random(rows) < model(s)
        found = find_threshold(s.round(digits), is_wrong, 0.05)
        answered.append(found.answered / rows if isinstance(found, Threshold) else 0.0)
        violated += isinstance(found, Threshold) and true_risk(model, found.threshold, digits) > 0.05
    return violated / draws, float(np.mean(np.array(answered) > 0)), float(np.mean(answered))


def test_the_promise_holds_for_a_good_model() -> None:
    violated, has_answers, answered = simulated(good, 1000, 400)
    assert violated <= 0.05 and has_answers == 1.0 and answered > 0.75


def test_the_promise_holds_for_rounded_confidences() -> None:
    violated, has_answers, _ = simulated(good, 1000, 200, digits=2)
    assert violated <= 0.05 and has_answers > 0.95


def test_a_model_whose_surest_answers_are_bad_still_answers() -> None:
    violated, has_answers, _ = simulated(bump, 1000, 400)
    assert violated <= 0.05 and has_answers > 0.8


def test_a_weak_model_answers_nothing() -> None:
    _, has_answers, _ = simulated(weak, 300, 400)
    assert has_answers <= 0.02


def test_the_observed_error_would_break_the_promise() -> None:
    """The largest set whose observed error is small enough is above it in about half of the draws."""
    rng, violated = np.random.default_rng(0), 0
    for _ in range(400):
        s = np.sort(rng.random(1000))[::-1]
        errors = np.cumsum(rng.random(1000) < good(s))
        allowed = np.flatnonzero(errors <= 0.05 * np.arange(1, 1001))
        violated += true_risk(good, s[allowed[-1] + 1] if allowed[-1] + 1 < 1000 else 0.0) > 0.05
    assert violated > 100
