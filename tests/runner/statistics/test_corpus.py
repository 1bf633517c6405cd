"""Scores, intervals and tests of a corpus of stored answers equal, to the last digit, those recorded in corpus.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.tasks import task_class
from runner.tasks.base import LabelFacts, Task
from tests.conftest import REPO
from tests.runner.statistics.corpus import Case, corpus
from tests.runner.tasks.splits import split_of

CASES = corpus()
LABELLED = [name for name, case in CASES.items() if case.task != "mlm"]


@cache
def expected() -> dict[str, Any]:
    text = (REPO / "tests" / "runner" / "statistics" / "corpus.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def task_of(case: Case) -> Task:
    names = tuple(f"class {number}" for number in range(case.classes))
    return task_class(case.task)(LabelFacts(names, case.positive))


def answers_of(case: Case) -> list[Answers]:
    return [task_of(case).answers(outputs, split_of(case.labels)) for outputs in case.outputs]


@pytest.mark.parametrize("name", CASES)
def test_scores_and_intervals_equal_the_recorded_ones_to_the_last_digit(name: str) -> None:
    case, wanted = CASES[name], expected()[name]
    task = task_of(case)
    for number, answers in enumerate(answers_of(case)[:3]):
        assert task.evaluate(answers, case.scores) == wanted["scores"][number]
        assert task.evaluated_loss(case.outputs[number], split_of(case.labels)) == wanted["loss"][number]
        for score in case.scores:
            assert list(task.score(score).interval(answers)) == wanted["intervals"][number][score], score


@pytest.mark.parametrize("name", LABELLED)
def test_what_a_model_without_learning_scores_equals_the_recorded(name: str) -> None:
    case, wanted = CASES[name], expected()[name]
    task = task_of(case)
    found = {score: task.baseline(split_of(case.train), split_of(case.labels), score) for score in case.scores}
    assert found == wanted["baseline"]
    assert [task.is_constant(answers) for answers in answers_of(case)] == wanted["constant"]


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("count", [1, 3])
def test_paired_tests_equal_the_recorded_ones_to_the_last_digit(name: str, count: int) -> None:
    case, made = CASES[name], answers_of(CASES[name])
    chosen = [(made[2 * number], made[2 * number + 1]) for number in range(count)]
    for score, wanted in expected()[name]["paired"][str(count)].items():
        test, p, interval = task_of(case).score(score).compare(chosen)
        assert [test, p, interval.low, interval.high, interval.over] == wanted, score


@pytest.mark.parametrize("name", CASES)
def test_a_score_of_all_units_once_is_its_value_and_lies_within_its_interval(name: str) -> None:
    case = CASES[name]
    for answers in answers_of(case)[:3]:
        for score in (task_of(case).score(score) for score in case.scores):
            value = score.value(answers)
            assert score.over(answers)(np.ones((2, len(answers)))) == pytest.approx([value, value], abs=1e-12)
            low, high = score.interval(answers)
            assert low - 1e-9 <= value <= high + 1e-9
            same = score.compare([(answers, answers)])
            assert same[1] == 1.0 and (same[2].low, same[2].high) == (0.0, 0.0)
