"""The mistakes of a model of label sets: which labels are missed and added, and which rows come first."""

from __future__ import annotations

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.label_sets import analyse_label_sets, worst_rows
from runner.statistics.answers import Answers
from tests.records import a_record, record_json

LABELS = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
SETS = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])


def test_rows_are_told_with_the_labels_that_are_missed_and_added() -> None:
    data = record_json()["data"] | {"task": "multilabel", "labels": ["anger", "joy", "fear"]}
    columns = {"label": LABELS.ravel(), "prediction": SETS.ravel(), "logit": np.linspace(-3, 3, 12)}
    answers = Answers(columns, np.arange(5) * 3)
    found = analyse_label_sets(Answered(a_record(data=data), "test", answers, None, None), None)
    assert found.lead == "2 of 4 rows of test have a wrong set of labels"
    assert [line[-5:-1] for line in found.lines] == [("anger, fear", "", "anger, fear", ""), ("", "fear", "", "fear")]
    assert found.sentences[0] == "fear: F1 0.000 on 1 row; missed in 1, added in 1."
    assert found.sentences[-1] == "Rows with labels that are answered with none: 1."
    assert [section.title for section in found.sections] == ["Labels", "Rows with the most wrong labels"]


def test_rows_with_more_wrong_labels_come_first_and_of_equal_ones_the_surest() -> None:
    labels, sets = np.zeros((4, 2), bool), np.array([[1, 0], [1, 1], [0, 0], [1, 0]], bool)
    probabilities = np.array([[0.6, 0.1], [0.6, 0.7], [0.1, 0.1], [0.9, 0.1]])
    assert worst_rows(labels, sets, probabilities).tolist() == [1, 3, 0]


def test_a_label_that_is_only_added_is_told() -> None:
    data = record_json()["data"] | {"task": "multilabel", "labels": ["anger", "joy"]}
    labels, sets = np.array([[1, 0], [1, 0]]), np.array([[1, 1], [1, 1]])
    answers = Answers({"label": labels.ravel(), "prediction": sets.ravel(), "logit": np.ones(4)}, np.arange(3) * 2)
    found = analyse_label_sets(Answered(a_record(data=data), "test", answers, None, None), None)
    assert found.sentences[0] == "joy: F1 0.000 on 0 rows; missed in 0, added in 2."
