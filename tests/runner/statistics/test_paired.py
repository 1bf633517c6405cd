"""Intervals and tests against scipy and statsmodels on hand-made cases, ties and single seeds included."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from runner.statistics import paired as stats
from runner.statistics.class_counts import ACTUAL, PREDICTED, counts_of
from runner.statistics.confusion import CLASS_SCORES, ConfusionScore, confusion_of
from runner.statistics.intervals import wilson_interval


def of_counts(name: str) -> Any:
    score = CLASS_SCORES[name]
    assert isinstance(score, ConfusionScore)
    return score.of_counts


@pytest.mark.parametrize("values", [[0.1, 0.4], [0.81, 0.83, 0.80], [0.5, 0.5, 0.6, 0.7, 0.5], [2.0, 2.0, 2.0]])
def test_the_interval_over_seeds_is_statsmodels_t_interval(values: list[float]) -> None:
    found = stats.seed_interval(values)
    assert found is not None and found.over == f"t over {len(values)} seeds"
    assert (found.low, found.high) == pytest.approx(DescrStatsW(values).tconfint_mean(0.05))
    assert stats.standard_deviation(values) == pytest.approx(np.std(values, ddof=1))


def test_a_single_seed_has_no_interval_over_seeds() -> None:
    assert stats.seed_interval([0.8]) is None
    assert stats.seed_interval([0.8, float("nan")]) is None
    assert stats.seed_bootstrap([0.8]) is None
    assert stats.seed_bootstrap([0.8, float("inf")]) is None
    assert stats.standard_deviation([0.8]) is None


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_seeds_with_a_value_that_is_not_finite_have_no_scatter_and_print_no_warning(bad: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stats.standard_deviation([0.4, bad]) is None
        assert stats.seed_interval([0.4, bad]) is None and stats.seed_bootstrap([0.4, bad]) is None


@pytest.mark.parametrize(("right", "rows"), [(0, 20), (20, 20), (150, 200), (1, 3)])
def test_the_interval_of_a_single_seed_is_statsmodels_wilson(right: int, rows: int) -> None:
    low, high = wilson_interval(right / rows, rows)
    assert (low, high) == pytest.approx(proportion_confint(right, rows, method="wilson"), abs=1e-12)


def test_the_bootstrap_over_seeds_is_the_percentile_bootstrap() -> None:
    values = np.array([0.81, 0.83, 0.80, 0.79, 0.84])
    found = stats.seed_bootstrap(list(values))
    drawn = np.random.default_rng(1).choice(values, size=(20_000, 5)).mean(axis=1)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.002)


def test_student_covers_the_mean_and_the_bootstrap_of_three_seeds_does_not() -> None:
    draws = np.random.default_rng(0).normal(size=(400, 3))
    t_covers = np.mean([i.low < 0 < i.high for x in draws if (i := stats.seed_interval(list(x)))])
    bootstrap_covers = np.mean([i.low < 0 < i.high for x in draws[:150] if (i := stats.seed_bootstrap(list(x)))])
    assert 0.92 < t_covers < 0.98
    assert bootstrap_covers < 0.85, "the reason why the table shows Student's t"


@pytest.mark.parametrize(
    ("b", "c"), [(0, 0), (1, 0), (5, 5), (3, 12), (40, 20), (500, 480), (480, 519), (480, 520), (600, 600), (900, 1000)]
)
def test_mcnemar_agrees_with_statsmodels(b: int, c: int) -> None:
    exact = b + c < stats.EXACT_BELOW
    expected = statsmodels_mcnemar([[7, b], [c, 9]], exact=exact, correction=True).pvalue if b + c else 1.0
    assert stats.mcnemar_p(b, c) == pytest.approx(expected, abs=1e-12)
    assert stats.mcnemar_p(b, c) == stats.mcnemar_p(c, b)


def differences(b: int, c: int, same: int) -> np.ndarray:
    return np.array([1.0] * b + [-1.0] * c + [0.0] * same)


@pytest.mark.parametrize(("b", "c"), [(4, 0), (10, 25), (7, 7), (30, 31), (480, 500)])
def test_clustered_mcnemar_of_few_examples_is_the_exact_test_however_often_the_answers_are_repeated(
    b: int, c: int
) -> None:
    once = differences(b, c, 50)
    assert stats.clustered_mcnemar_p(once) == pytest.approx(stats.mcnemar_p(b, c), abs=1e-12)
    assert stats.clustered_mcnemar_p(3 * once) == pytest.approx(stats.mcnemar_p(b, c), abs=1e-12), "no new evidence"


def test_clustered_mcnemar_of_many_examples_is_mcnemar_without_correction() -> None:
    expected = statsmodels_mcnemar([[0, 500], [580, 0]], exact=False, correction=False).pvalue
    assert stats.clustered_mcnemar_p(differences(500, 580, 50)) == pytest.approx(expected)


def test_clustered_mcnemar_gives_each_example_either_sign_with_equal_chance() -> None:
    sums = np.array([3, 1, -2, 2, 1, -1, 3, 0, 0, 2, 2])
    signs = np.array(list(itertools.product((-1, 1), repeat=len(sums))))
    expected = np.mean(abs(signs @ sums) >= abs(sums.sum()))
    assert stats.clustered_mcnemar_p(sums) == pytest.approx(expected)
    assert stats.clustered_mcnemar_p(*np.unique(sums, return_counts=True)) == pytest.approx(expected)
    smallest = stats.clustered_mcnemar_p(np.full(900, 3.0))
    assert smallest == pytest.approx(2.0**-899, rel=1e-9), "rounding does not blur the smallest values"
    assert stats.clustered_mcnemar_p(np.zeros(20)) == 1.0


def test_pooling_the_pairs_of_an_example_would_claim_more() -> None:
    assert stats.mcnemar_p(3 * 10, 3 * 25) < stats.clustered_mcnemar_p(3 * differences(10, 25, 50))


@pytest.mark.parametrize(("first", "second"), [([0.81, 0.83, 0.80], [0.79, 0.80, 0.80]), ([0.81, 0.85], [0.80, 0.80])])
def test_the_test_over_seeds_is_scipys_paired_t(first: list[float], second: list[float]) -> None:
    found = stats.paired_seeds(list(np.subtract(first, second)))
    expected = scipy_stats.ttest_rel(first, second)
    assert found is not None
    assert found[0] == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval()
    assert (found[1].low, found[1].high) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize(
    "differences",
    [[0.1], [0.25, 0.25, 0.25], [0.0, 0.0], [0.3, 0.1 + 0.2], [3e5, 1e5 * 3.0000000000000004]],
)
def test_pairs_of_seeds_without_scatter_say_nothing_about_others(differences: list[float]) -> None:
    assert stats.paired_seeds(differences) is None


@pytest.mark.parametrize(
    "p", [[0.01, 0.04, 0.03], [0.5], [0.6, 0.7, 0.9], [0.02, 0.02, 0.02, 0.9], [0.001, 0.8, 0.049, 0.01, 0.06]]
)
def test_holm_agrees_with_statsmodels(p: list[float]) -> None:
    assert stats.holm_p_values(p) == pytest.approx(list(multipletests(p, method="holm")[1]))
    assert stats.holm_p_values([]) == []


def test_the_resampled_mean_is_scipys_bootstrap_of_it() -> None:
    values = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], p=[0.1, 0.7, 0.2], size=400)
    found = stats.quantile_interval(stats.resample_mean(values, resamples=20_000), "", 400)
    expected = scipy_stats.bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=3)
    ends = expected.confidence_interval
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.005)


@pytest.mark.parametrize("score", ["accuracy", "f1", "mcc"])
def test_the_paired_bootstrap_of_a_score_is_scipys(score: str) -> None:
    from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

    reference = {"accuracy": accuracy_score, "f1": f1_score, "mcc": matthews_corrcoef}[score]
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=150)
    first, second = (np.where(rng.random(150) < share, labels, 1 - labels) for share in (0.85, 0.7))
    found = stats.resample_confusions(labels, [first], [second], of_counts(score), resamples=4000)
    expected = scipy_stats.bootstrap(
        (labels, first, second), lambda t, a, b: reference(t, a) - reference(t, b),
        paired=True, vectorized=False, n_resamples=300, method="percentile", rng=1,
    )  # fmt: skip
    ends = expected.confidence_interval
    assert np.quantile(found, [0.025, 0.975]) == pytest.approx([ends.low, ends.high], abs=0.03)
    assert np.mean(found) == pytest.approx(reference(labels, first) - reference(labels, second), abs=0.01)


def test_several_seeds_a_side_are_averaged_and_identical_models_never_differ() -> None:
    labels = np.arange(90) % 3
    rng = np.random.default_rng(0)
    models = [np.where(rng.random(90) < 0.7, labels, (labels + 1) % 3) for _ in range(2)]
    score = of_counts("f1_macro")
    same = stats.resample_confusions(labels, models, models, score, resamples=200)
    assert np.all(same == 0) and stats.bootstrap_p(same, 90) == 1.0
    single = [stats.resample_confusions(labels, [m], [labels], score, resamples=20_000).mean() for m in models]
    both = stats.resample_confusions(labels, models, [labels, labels], score, resamples=20_000).mean()
    assert both == pytest.approx(np.mean(single), abs=0.003)


def test_the_counts_of_more_than_two_classes_are_those_of_the_rows_drawn() -> None:
    labels, rng = np.arange(120) % 4, np.random.default_rng(0)
    first, second = (np.where(rng.random(120) < share, labels, 0) for share in (0.9, 0.6))
    second = np.minimum(second, 2)  # never the last class
    counted: list[np.ndarray] = []

    def sizes(counts: np.ndarray) -> np.ndarray:
        counted.append(counts)
        return np.asarray(counts[:, ACTUAL].sum(axis=1))

    stats.resample_confusions(labels, [first], [second], sizes, resamples=3000)
    for model, drawn in zip((first, second), counted):
        assert drawn.mean(axis=0) == pytest.approx(counts_of(confusion_of(labels, model, 4)), abs=0.5)
        assert (drawn[:, [PREDICTED, ACTUAL]].sum(axis=2) == 120).all()


def test_a_bootstrap_p_value_is_never_zero_and_is_two_sided() -> None:
    assert stats.bootstrap_p(np.full(999, 0.1), 10**6) == pytest.approx(2 / 1000, rel=1e-3)
    assert stats.bootstrap_p(np.full(999, -0.1), 10**6) == pytest.approx(2 / 1000, rel=1e-3)
    assert stats.bootstrap_p(np.linspace(-1, 1, 999), 10**6) == 1.0


@pytest.mark.parametrize("units", [2, 3, 10])
def test_the_p_value_of_a_few_units_is_read_from_students_t(units: int) -> None:
    resampled = np.repeat([-1.0, 0.0, 1.0], [19, 10, 970])  # 29 of 999 are 0 or below
    tail = scipy_stats.norm.ppf((29 + 1) / (999 + 1)) * math.sqrt((units - 1) / units)
    expected = 2 * scipy_stats.t(units - 1).cdf(tail)
    assert stats.bootstrap_p(resampled, units) == pytest.approx(expected)
    assert stats.bootstrap_p(-resampled, units) == pytest.approx(expected)


def test_a_p_value_never_exceeds_one() -> None:
    assert stats.bootstrap_p(np.repeat([-1.0, 0.0, 1.0], [200, 600, 200]), 50) == 1.0
    assert stats.bootstrap_p(np.repeat([-1.0, 0.0, 1.0], [497, 4, 498]), 50) == 1.0
    assert stats.clustered_mcnemar_p(np.array([2.0, -1.0, -1.0])) == 1.0


@pytest.mark.parametrize("units", [2, 3, 4, 5])
def test_few_units_of_two_equal_models_rarely_differ(units: int) -> None:
    rng = np.random.default_rng(0)
    draws = [stats.resample_mean(rng.normal(size=units), resamples=2000) for _ in range(400)]
    share = np.mean([stats.bootstrap_p(found, units) < 0.05 for found in draws])
    assert share < 0.1  # the plain share of resamples: 0.4, 0.3, 0.2 and 0.16


def test_one_unit_says_nothing_about_others() -> None:
    assert stats.bootstrap_p(np.full(999, 0.3), 1) == 1.0


def test_two_seeds_are_enough_for_a_bootstrap_of_seeds() -> None:
    found = stats.seed_bootstrap([0.5, 0.7])
    assert found is not None and (found.low, found.high) == pytest.approx((0.5, 0.7))


@pytest.mark.parametrize("resamples", [1, 10, 11])
def test_resamples_in_chunks_are_as_many_as_requested(resamples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, first, second = (np.random.default_rng(seed).integers(2, size=30) for seed in range(3))
    score, taken = of_counts("accuracy"), list[int]()

    def counted(counts: np.ndarray) -> np.ndarray:
        taken.append(len(counts))
        found: np.ndarray = score(counts)
        return found

    def differences_of() -> np.ndarray:
        return stats.resample_confusions(labels, [first], [second], counted, resamples=resamples, seed=3)

    whole = differences_of()
    assert len(whole) == resamples and taken == [resamples] * 2
    monkeypatch.setattr(stats, "_CHUNK", 40)  # 8 patterns of answers: five resamples at a time
    taken.clear()
    assert differences_of().tolist() == whole.tolist() and max(taken) == min(resamples, 5)
