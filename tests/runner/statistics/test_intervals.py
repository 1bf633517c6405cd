"""Intervals against scipy's, and the bootstrap against the formula it stands for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from runner.statistics import intervals
from runner.statistics.class_counts import ACTUAL, PREDICTED, RIGHT, counts_of
from runner.statistics.confusion import CLASS_SCORES, ConfusionScore
from runner.statistics.intervals import (
    Z_95_ONE_SIDED,
    bootstrap_confusion,
    bootstrap_rows,
    ends_of,
    resample_rows,
    spanning_seeds,
    student_interval,
    student_share_interval,
    wider_z,
    wilson_interval,
)


@pytest.mark.parametrize(("right", "count"), [(0, 10), (7, 10), (10, 10), (450, 872)])
def test_wilson_is_scipys(right: int, count: int) -> None:
    expected = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert wilson_interval(right / count, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_rows_say_nothing() -> None:
    assert wilson_interval(0.0, 0) == (0.0, 1.0)


def test_student_is_scipys() -> None:
    values = [0.8, 0.82, 0.79]
    expected = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert student_interval(values) == pytest.approx(expected)


def accuracy(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts[:, RIGHT].sum(axis=1) / counts[:, ACTUAL].sum(axis=1))


def test_the_bootstrap_of_an_accuracy_is_about_wilsons_interval() -> None:
    low, high = bootstrap_confusion(np.array([[400, 100], [100, 400]]), accuracy, resamples=4000)
    assert (low, high) == pytest.approx(wilson_interval(0.8, 1000), abs=0.004)


@pytest.mark.parametrize("rows", [20, 50, 872])
def test_rows_that_are_all_right_or_all_wrong_leave_room_for_chance(rows: int) -> None:
    for right, end in ((True, 0), (False, 1)):
        matrix = np.diag([rows // 2, rows // 2])
        found = bootstrap_confusion(matrix if right else matrix[::-1], accuracy)
        assert found[1 - end] == float(right), "the score itself is always within"
        assert found[end] == pytest.approx(wilson_interval(float(right), rows)[end], abs=2 / rows)
        assert found[1] - found[0] > 1.5 / rows


def test_a_class_that_never_occurs_does_not_widen_an_interval() -> None:
    matrix = np.array([[40, 10], [10, 40]])
    padded = np.zeros((5, 5), np.int64)
    padded[:2, :2] = matrix
    assert bootstrap_confusion(padded, accuracy) == pytest.approx(bootstrap_confusion(matrix, accuracy), abs=0.02)
    assert bootstrap_confusion(padded, lambda drawn: drawn[:, :, 2:].sum(axis=(1, 2))) == (0.0, 0.0)


def test_an_interval_of_macro_f1_covers_it_although_classes_have_few_rows() -> None:
    score, draw, covered = CLASS_SCORES["f1_macro"], np.random.default_rng(0), []
    assert isinstance(score, ConfusionScore)
    for _ in range(40):
        shares = np.diag(np.full(30, 0.6)) + 0.4 * draw.dirichlet(np.full(30, 0.5), 30)
        truth = float(score.of_counts(counts_of(1e9 * shares)[None])[0])
        counts = draw.multinomial(150, (shares / 30).ravel()).reshape(30, 30)
        low, high = bootstrap_confusion(counts, score.of_counts, resamples=500)
        covered.append(low <= truth <= high)
    assert np.mean(covered) >= 0.9, "percentiles alone cover 66 %"


def test_an_interval_spans_the_percentiles_and_those_corrected_for_bias() -> None:
    scores = np.linspace(0.0, 1.0, 1001)
    assert ends_of(scores, 0.5) == pytest.approx((0.025, 0.975), abs=0.001), "no bias"
    found = ends_of(scores, 0.8)
    shift = 2 * stats.norm.ppf(0.8)
    assert found == pytest.approx((0.025, stats.norm.cdf(shift + 1.96)), abs=0.002) and found[1] > 0.999
    assert ends_of(scores, 0.2) == pytest.approx((1 - found[1], 0.975), abs=0.002), "either way"
    assert ends_of(np.zeros(5), 0.0) == (0.0, 0.0) and ends_of(np.zeros(5), 0.5) == (0.0, 0.5)


def test_the_bootstrap_of_a_mean_is_about_the_normal_interval() -> None:
    values = np.random.default_rng(0).normal(size=500)
    found = bootstrap_rows(500, lambda counts: counts @ values / 500, resamples=4000)
    half = 1.96 * values.std() / np.sqrt(500)
    assert found == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)


def test_every_resample_draws_as_many_rows_and_a_seed_repeats_them() -> None:
    sums = resample_rows(7, lambda counts: counts.sum(axis=1), resamples=5)
    assert sums.tolist() == [7.0] * 5
    weighted = [resample_rows(7, lambda counts: counts @ np.arange(7), resamples=5, seed=seed) for seed in (3, 3, 4)]
    assert np.array_equal(weighted[0], weighted[1]) and not np.array_equal(weighted[0], weighted[2])


def test_one_end_of_a_share_by_itself_is_a_one_sided_bound() -> None:
    assert wilson_interval(0.853, 2000, Z_95_ONE_SIDED)[0] == pytest.approx(0.839499, abs=5e-7)
    assert wilson_interval(0.855, 2000, Z_95_ONE_SIDED)[0] == pytest.approx(0.841570, abs=5e-7)


def test_an_interval_of_shares_over_seeds_stays_within_0_and_1() -> None:
    assert student_interval([0.9, 1.0])[1] > 1 and student_share_interval([0.9, 1.0])[1] == 1.0
    assert student_share_interval([0.0, 0.1])[0] == 0.0
    assert student_share_interval([0.5, 0.52, 0.51]) == student_interval([0.5, 0.52, 0.51])
    assert spanning_seeds((0.4, 0.6), [0.5]) == (0.4, 0.6)
    assert spanning_seeds((0.4, 0.6), [0.5, 0.501]) == (0.4, 0.6)
    assert spanning_seeds((0.8, 0.97), [0.9, 0.99]) == (student_interval([0.9, 0.99])[0], 1.0)


def test_a_bootstrap_of_few_rows_covers_their_mean() -> None:
    rng, missed = np.random.default_rng(0), 0
    for number in range(300):
        values = rng.normal(size=6)
        low, high = bootstrap_rows(6, lambda counts, values=values: counts @ values / 6, seed=number)  # type: ignore[misc]
        missed += not low <= 0 <= high
    assert missed < 300 * 0.09  # of percentiles at 2.5 and 97.5 %: 0.14


@pytest.mark.parametrize("units", [2, 3, 10, 500])
def test_the_quantile_of_few_units_is_students_for_the_scatter_of_a_sample(units: int) -> None:
    assert wider_z(units) == pytest.approx(stats.t(units - 1).ppf(0.975) * math.sqrt(units / (units - 1)))


def test_a_single_unit_says_nothing_about_others_and_many_are_normal() -> None:
    assert wider_z(1) == wider_z(0) == math.inf
    assert wider_z(10**7) == pytest.approx(stats.norm.ppf(0.975), abs=1e-5)


def test_resamples_equal_to_the_score_lie_half_below_it() -> None:
    scores = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], [1, 24, 50, 24, 1])
    assert ends_of(scores, 0.5) == (0.25, 0.75), "no bias, so the percentiles"
    lower = np.repeat([0.0, 0.5, 0.8, 1.0], [10, 70, 10, 10])  # 10 % below 0.5 and 70 % equal to it: 45 % below
    high = np.quantile(lower, stats.norm.cdf(2 * stats.norm.ppf(0.45) + 0.9))
    assert ends_of(lower, 0.5, 0.9)[1] == pytest.approx(max(high, np.quantile(lower, stats.norm.cdf(0.9))))


@pytest.mark.parametrize("chunk", [2_000_000, 40])
def test_a_draw_of_a_matrix_has_all_its_rows_and_one_more_row_in_all_spread_over_the_cells(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "_CHUNK", chunk)  # of 40: three resamples at a time
    matrix = np.array([[6, 3, 0, 0], [0, 4, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    matrix[1, 3] = 2  # class 3 is only predicted; class 2 neither labelled nor predicted
    counted: list[np.ndarray] = []

    def accuracies(counts: np.ndarray) -> np.ndarray:
        counted.append(counts)
        return accuracy(counts)

    bootstrap_confusion(matrix, accuracies, resamples=2000)
    drawn = np.concatenate(counted[:-1])  # the last are the counts of the matrix itself
    assert len(drawn) == 2000 and (drawn[:, [PREDICTED, ACTUAL]].sum(axis=2) == 15).all()
    smoothed = matrix.astype(float)
    smoothed[np.ix_([0, 1, 3], [0, 1, 3])] += 1 / 9
    assert drawn.mean(axis=0) == pytest.approx(counts_of(smoothed * 15 / 16), abs=0.2)
    assert (drawn.mean(axis=0)[:, 2] == 0).all() and drawn.mean(axis=0)[ACTUAL, 3] == pytest.approx(15 / 48, abs=0.05)


def test_the_bootstrap_of_rows_reads_its_ends_from_its_own_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random(9)

    def mean(counts: np.ndarray) -> np.ndarray:
        return np.asarray(counts @ values / counts.sum(axis=1))

    found = bootstrap_rows(9, mean, resamples=60, seed=5)
    drawn = resample_rows(9, mean, resamples=60, seed=5)
    assert len(drawn) == 60 and found == ends_of(drawn, float(values.mean()), wider_z(9))
    assert resample_rows(9, mean).shape == (1000,) and bootstrap_rows(9, mean, resamples=60) != found
    monkeypatch.setattr(intervals, "_CHUNK", 27)  # three resamples at a time
    in_chunks = resample_rows(9, lambda counts: counts.sum(axis=1), resamples=8)
    assert in_chunks.tolist() == [9.0] * 8


def test_the_shift_of_the_levels_is_twice_that_of_the_score() -> None:
    shift = 2 * stats.norm.ppf(0.6)
    expected = (stats.norm.cdf(-0.5), stats.norm.cdf(shift + 0.5))
    assert ends_of(np.linspace(0.0, 1.0, 100_001), 0.6, 0.5) == pytest.approx(expected, abs=1e-4)


def test_the_prior_of_a_matrix_weighs_as_much_as_one_row() -> None:
    drawn: list[np.ndarray] = []

    def accuracies(counts: np.ndarray) -> np.ndarray:
        drawn.append(accuracy(counts))
        return drawn[-1]

    bootstrap_confusion(np.array([[0, 1], [0, 0]]), accuracies, resamples=4000)
    assert drawn[0].mean() == pytest.approx(1 / 2 * 1 / 2, abs=0.03), "a right answer is two of the prior's four cells"
