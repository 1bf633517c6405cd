"""Scores of a confusion matrix, drawn by rows as by patterns; tests/runner/tasks/test_classification.py has values."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest
from sklearn import metrics

from runner.statistics.answers import Answers
from runner.statistics.class_counts import OfClasses, counts_of
from runner.statistics.confusion import CLASS_SCORES, ConfusionScore, class_table, confusion_of
from runner.statistics.intervals import wilson_interval


def answers(seed: int = 0, classes: int = 2, positive: int = 1) -> Answers:
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=60)
    predictions = np.where(random.random(60) < 0.6, labels, random.integers(classes, size=60))
    columns = {"label": labels, "prediction": predictions}
    return Answers(columns, positive=positive, names=tuple(map(str, range(classes))))


@pytest.mark.parametrize("name", CLASS_SCORES)
@pytest.mark.parametrize("positive", [0, 1])
def test_counts_of_drawn_rows_give_the_score_of_those_rows(name: str, positive: int) -> None:
    whole, score = answers(positive=positive), CLASS_SCORES[name]
    rows = np.random.default_rng(1).integers(60, size=60)
    drawn = Answers({key: column[rows] for key, column in whole.columns.items()}, None, positive, whole.names)
    (found,) = score.over(whole)(np.bincount(rows, minlength=60)[None].astype(float))
    assert found == pytest.approx(score.value(drawn))


def of_counts(name: str) -> OfClasses:
    score = CLASS_SCORES[name]
    assert isinstance(score, ConfusionScore)
    return score.of_counts


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_counts_are_those_of_scikit_learn_also_where_a_class_is_missing(seed: int) -> None:
    random = np.random.default_rng(seed)
    labels, predictions = random.integers(3, size=30) + (seed == 2), random.integers(4, size=30)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predictions),
        "f1_macro": metrics.f1_score(labels, predictions, average="macro", zero_division=0),
        "mcc": metrics.matthews_corrcoef(labels, predictions),
        "balanced_accuracy": metrics.recall_score(
            labels, predictions, average="macro", labels=np.unique(labels), zero_division=0
        ),
    }
    counts = counts_of(confusion_of(labels, predictions, 6))
    both = np.stack([counts, counts_of(np.eye(6))])  # the second is all right
    assert {name: of_counts(name)(both).tolist() for name in expected} == {
        name: pytest.approx([value, 1.0]) for name, value in expected.items()
    }
    of_two = labels == 1, predictions == 1
    counts = counts_of(confusion_of(*(side.astype(int) for side in of_two)))[None]
    for name, score in (
        ("f1", metrics.f1_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
    ):
        assert of_counts(name)(counts).tolist() == [pytest.approx(score(*of_two, zero_division=0))], name


def test_the_table_of_classes_is_scikit_learns() -> None:
    random = np.random.default_rng(5)
    labels, predictions = random.integers(4, size=50), np.minimum(random.integers(4, size=50), 2)
    expected = metrics.precision_recall_fscore_support(labels, predictions, zero_division=0)
    table = class_table(confusion_of(labels, predictions, 4))
    for name, values in zip(("precision", "recall", "f1", "support"), expected):
        assert table[name] == pytest.approx(values), name
    assert table["predicted"] == np.bincount(predictions, minlength=4).tolist()


def test_a_score_of_one_class_is_refused_for_three() -> None:
    with pytest.raises(ValueError, match=r"two classes, but there are 3.*f1_macro"):
        CLASS_SCORES["f1"].value(answers(classes=3))
    with pytest.raises(ValueError, match="two classes"):
        CLASS_SCORES["recall"].interval(answers(classes=3))


def test_classes_that_nobody_labels_or_predicts_keep_their_place() -> None:
    matrix = confusion_of(np.array([0, 0]), np.array([0, 1]), 4)
    assert matrix.shape == (4, 4) and matrix.sum() == 2
    table = class_table(matrix)
    assert table["support"] == [2, 0, 0, 0] and table["f1"] == pytest.approx([2 / 3, 0, 0, 0])


def test_rare_classes_are_left_out_of_the_common_macro_f1_also_of_draws() -> None:
    labels = np.repeat([0, 1, 2], [30, 20, 19])
    predictions = np.where(np.arange(69) % 3 == 0, (labels + 1) % 3, labels)
    whole = Answers({"label": labels, "prediction": predictions}, names=("a", "b", "c"))
    score = CLASS_SCORES["f1_macro_common"]
    table = class_table(confusion_of(labels, predictions, 3))
    assert score.value(whole) == pytest.approx(np.mean(table["f1"][:2]))
    assert score.value(whole) != pytest.approx(CLASS_SCORES["f1_macro"].value(whole))
    counts = np.where(labels == 1, 0, 2)[None].astype(float)  # a draw without any row of class 1 still counts it, as 0
    (found,) = score.over(whole)(counts)
    only = np.flatnonzero(labels != 1)
    assert found == pytest.approx(class_table(confusion_of(labels[only], predictions[only], 3))["f1"][0] / 2)
    low, high = score.interval(whole, resamples=200)
    assert low < score.value(whole) < high


def test_seeds_that_answer_alike_make_no_difference_of_accuracy_significant() -> None:
    labels = np.arange(40) % 2
    worse = Answers({"label": labels, "prediction": np.where(np.arange(40) < 4, 1 - labels, labels)})
    better = Answers({"label": labels, "prediction": labels})
    one, three = (CLASS_SCORES["accuracy"].test([(better, worse)] * seeds)[1] for seeds in (1, 3))
    assert one == pytest.approx(three) == 0.125, "four rows decide: the exact test, however many seeds there are"


def test_scores_that_depend_on_no_row_have_the_widest_interval() -> None:
    nothing = np.zeros(20, np.int64)
    absent = Answers({"label": nothing, "prediction": nothing}, names=("a", "b"))
    missed = Answers({"label": nothing + 1, "prediction": nothing + 1}, positive=0, names=("a", "b"))
    for name in ("f1", "precision", "recall"):
        for given in (absent, missed):
            assert CLASS_SCORES[name].value(given) == 0 and CLASS_SCORES[name].interval(given) == (0.0, 1.0), name
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn's
        assert CLASS_SCORES["mcc"].value(absent) == 0 and CLASS_SCORES["mcc"].interval(absent) == (-1.0, 1.0)
    assert CLASS_SCORES["f1_macro_common"].interval(absent)[0] > 0.8, "20 rows are enough"
    few = Answers({"label": nothing[:19], "prediction": nothing[:19]}, names=("a", "b"))
    assert CLASS_SCORES["f1_macro_common"].interval(few) == (0.0, 1.0)
    right = Answers({"label": nothing + 1, "prediction": nothing + 1}, names=("a", "b"))
    assert CLASS_SCORES["f1"].interval(right) == wilson_interval(1.0, 20)


def test_a_score_of_one_class_is_of_the_rows_that_are_labelled_or_answered_so() -> None:
    rows = np.arange(40)
    missed = Answers({"label": (rows < 5).astype(int), "prediction": (rows >= 33).astype(int)}, names=("a", "b"))
    found = {name: CLASS_SCORES[name].scored_units(missed) for name in ("f1", "precision", "recall", "accuracy")}
    assert found == {"f1": 5 + 7, "precision": 7, "recall": 5, "accuracy": 40}


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_difference_of_accuracies_has_the_interval_of_a_mean_over_rows(seeds: int) -> None:
    rows = np.arange(400)
    labels = rows % 2
    better = Answers({"label": labels, "prediction": np.where(rows < 20, 1 - labels, labels)})
    worse = Answers({"label": labels, "prediction": np.where(rows < 60, 1 - labels, labels)})
    for pair, sign in (((better, worse), 1), ((worse, better), -1)):
        same_again = (better, better)  # the second seed makes no difference, and halves that of the mean
        test, p, interval = CLASS_SCORES["accuracy"].compare([pair, same_again][:seeds])
        each = sign * np.where((rows >= 20) & (rows < 60), 1, 0) / seeds
        half = 1.96 * each.std() / np.sqrt(400)
        assert (interval.low, interval.high) == pytest.approx((each.mean() - half, each.mean() + half), abs=0.004)
        assert interval.over == "bootstrap over 400 examples" and p == pytest.approx(2 * 0.5**40)
        assert test == ("McNemar" if seeds == 1 else "McNemar, examples as clusters")


def test_a_bootstrap_of_a_matrix_has_as_many_resamples_and_the_seed_that_were_asked_for() -> None:
    whole, score = answers(classes=3), CLASS_SCORES["f1_macro"]
    few, other, many = (score.interval(whole, resamples=count, seed=seed) for count, seed in ((9, 0), (9, 1), (900, 0)))
    assert few == score.interval(whole, resamples=9) and len({few, other, many}) == 3


def test_no_rows_have_an_empty_matrix_of_two_classes() -> None:
    nothing = np.zeros(0, np.int64)
    assert confusion_of(nothing, nothing).tolist() == [[0, 0], [0, 0]]
    assert confusion_of(np.array([0, 0]), np.array([2, 0])).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert confusion_of(np.array([2, 1]), np.array([0, 0])).tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]


def test_a_thousand_classes_are_resampled_without_a_confusion_matrix_each_time() -> None:
    random, classes, rows = np.random.default_rng(0), 1000, 2000
    labels = np.arange(rows) % classes
    first, second = (
        Answers({"label": labels, "prediction": np.where(random.random(rows) < 0.8, labels, 0)}) for _ in range(2)
    )
    score, started = CLASS_SCORES["f1_macro"], time.process_time()
    low, high = score.interval(first)
    assert low < score.value(first) <= high
    assert score.compare([(first, second)])[1] > 0.05
    assert score.over(first)(np.ones((500, rows))) == pytest.approx(score.value(first)), "4 GB as 500 matrices"
    assert time.process_time() - started < 60, "minutes where each resample is a matrix"
