"""A score that is defined once: value, interval and paired test of sums over units."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.statistics.confusion import CLASS_SCORES
from runner.statistics.correlation import NUMBER_SCORES
from runner.statistics.intervals import resample_rows, wilson_interval
from runner.statistics.label_set_scores import LABEL_SET_SCORES
from runner.statistics.paired import RESAMPLES
from runner.statistics.scores import SumScore
from runner.statistics.span_scores import SPAN_SCORES


class ItemAccuracy(SumScore):
    """Share of right items."""

    name = "item_accuracy"

    def parts(self, answers: Answers) -> np.ndarray:
        right = (answers["label"] == answers["prediction"]).astype(np.float64)
        return answers.sums(np.stack([right, np.ones(answers.items)], axis=1))

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1.0))


def sentences(share: float, seed: int = 0, words: int = 12) -> Answers:
    """200 sentences that are right or wrong as a whole: their words are anything but independent."""
    random = np.random.default_rng(seed)
    right = np.repeat(random.random(200) < share, words)
    return Answers({"label": np.ones(200 * words), "prediction": right * 1.0}, np.arange(201) * words)


def test_the_interval_is_over_units_and_not_over_their_items() -> None:
    score, grouped = ItemAccuracy(), sentences(0.7)
    loose = Answers(grouped.columns)
    assert score.value(grouped) == score.value(loose)
    low, high = score.interval(grouped)
    narrow = score.interval(loose)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.7 * 0.3 / 200), rel=0.15)
    assert high - low > 3 * (narrow[1] - narrow[0])
    assert score.interval(grouped) == (low, high), "seeded"


def test_a_difference_is_tested_on_the_same_draws_of_units() -> None:
    score, first, second = ItemAccuracy(), sentences(0.9), sentences(0.6)
    name, p, interval = score.compare([(first, second)])
    assert name == "paired bootstrap" and p < 0.001 and interval.over == "bootstrap over 200 examples"
    difference = score.value(first) - score.value(second)
    assert interval.low < difference < interval.high
    _, p, interval = score.compare([(first, first), (second, second)])
    assert p == 1.0 and (interval.low, interval.high) == (0.0, 0.0)


def test_a_mean_over_units_is_the_mean_of_what_each_adds() -> None:
    found = Answers({"label": np.array([0, 1, 1, 2]), "prediction": np.array([0, 1, 2, 0])})
    for score in (CLASS_SCORES["accuracy"], NUMBER_SCORES["mse"]):
        parts = score.contributions(found)
        assert parts is not None and parts.mean() == pytest.approx(score.value(found))
    for other in (CLASS_SCORES["f1_macro"], NUMBER_SCORES["pearson"], ItemAccuracy()):
        assert other.contributions(found) is None


@pytest.mark.parametrize("right", [0, 13, 20])
def test_a_share_of_units_has_wilsons_interval(right: int) -> None:
    whole = Answers({"label": np.ones(20, int), "prediction": (np.arange(20) < right).astype(int)})
    expected = CLASS_SCORES["accuracy"].interval(whole)
    assert expected[1] - expected[0] > 0.1
    assert LABEL_SET_SCORES["subset_accuracy"].interval(whole) == expected
    spans = Answers({"exact": whole["prediction"].astype(float)})
    assert SPAN_SCORES["exact_match"].interval(spans) == expected
    assert NUMBER_SCORES["mse"].interval(whole)[1] <= 1.0, "a mean of 0 and 1 that is no share is bootstrapped"


def test_a_score_of_one_class_that_is_always_right_has_wilsons_interval() -> None:
    whole = Answers({"label": np.ones(20, int), "prediction": np.ones(20, int)})
    expected = CLASS_SCORES["accuracy"].interval(whole)
    assert CLASS_SCORES["f1"].interval(whole) == CLASS_SCORES["balanced_accuracy"].interval(whole) == expected


def test_perfect_answers_of_other_units_have_wilsons_interval_over_those_that_count() -> None:
    grades = {"f1": np.ones(30), "exact": np.ones(30), "answerable": np.repeat([1.0, 0.0], [10, 20])}
    spans = Answers(grades | {"context": np.arange(30)})
    assert SPAN_SCORES["answer_f1"].interval(spans) == wilson_interval(1.0, 30)
    assert SPAN_SCORES["answer_f1_has_answer"].interval(spans) == wilson_interval(1.0, 10)


def test_units_without_anything_to_score_do_not_narrow_an_interval() -> None:
    random, score = np.random.default_rng(0), SPAN_SCORES["answer_f1_no_answer"]
    whole = Answers({"answerable": (np.arange(100) >= 8).astype(float), "f1": random.beta(2, 2, size=100)})
    assert score.interval(whole) == score.interval(whole.take(np.arange(8))), "eight questions, not a hundred"
    labels = (np.arange(200) < 12).astype(np.int8)  # six of a hundred rows have labels, of two each
    columns = {"label": labels, "prediction": labels * random.integers(2, size=200, dtype=np.int8)}
    sets = Answers(columns, np.arange(0, 201, 2))
    for name in ("f1_micro", "f1_macro"):
        few = LABEL_SET_SCORES[name].interval(sets.take(np.arange(6)))
        assert LABEL_SET_SCORES[name].interval(sets) == few


def test_a_ratio_is_the_geometric_mean_over_pairs_on_the_same_draws_of_units() -> None:
    score, models = ItemAccuracy(), [sentences(share, seed, words=3) for seed, share in enumerate((0.9, 0.6, 0.8, 0.7))]
    found = score.resampled_ratios([(models[0], models[1]), (models[2], models[3])])
    right = [np.asarray(one["prediction"]).reshape(200, 3)[:, 0] for one in models]

    def squared(counts: np.ndarray) -> np.ndarray:
        first, second, third, fourth = (counts @ one for one in right)
        return np.asarray(first / second * third / fourth)

    assert found**2 == pytest.approx(resample_rows(200, squared, resamples=RESAMPLES))
    differences = score.resampled_differences([(models[0], models[1]), (models[2], models[3])])
    assert differences.mean() == pytest.approx(
        0.5 * sum(s * one.mean() for s, one in zip((1, -1, 1, -1), right)), abs=0.01
    )


def test_a_ratio_to_a_score_of_zero_is_a_number_and_two_zeros_are_equal() -> None:
    score, some, none = ItemAccuracy(), sentences(0.9, words=1), sentences(-1.0, words=1)
    assert score.value(none) == 0.0
    assert (score.resampled_ratios([(none, none)]) == 1.0).all()
    assert (score.resampled_ratios([(none, some)]) < 1e-300).all()
    assert (score.resampled_ratios([(some, none)]) > 1e300).all()


def test_a_difference_is_of_as_many_units_as_either_model_has_something_to_score_on() -> None:
    score = CLASS_SCORES["precision"]
    labels = (np.arange(60) < 30).astype(int)
    few, more = (Answers({"label": labels, "prediction": (np.arange(60) < count).astype(int)}) for count in (2, 7))
    assert score.tested_units([(few, more)]) == score.tested_units([(more, few)]) == 7
    assert score.tested_units([(few, few)]) == 2
