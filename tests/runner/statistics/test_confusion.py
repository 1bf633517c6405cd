"""Scores of a confusion matrix, drawn by rows as by patterns; tests/runner/tasks/test_classification.py has values."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.statistics.confusion import CLASS_SCORES, class_table, confusion_of
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


def test_scores_that_no_row_says_anything_about_are_open() -> None:
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
