"""Scores, intervals and tests of a corpus of stored answers equal, to the last digit, those recorded in corpus.json."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from runner.compare import pairs
from runner.record.predictions import Predictions
from runner.tasks import task_module
from tests.conftest import REPO
from tests.runner.statistics.corpus import Case, corpus

CASES = corpus()
LABELLED = [name for name, case in CASES.items() if case.task != "mlm"]


@cache
def expected() -> dict[str, Any]:
    text = (REPO / "tests" / "runner" / "statistics" / "corpus.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def answers_of(case: Case) -> list[Predictions]:
    kind = task_module(case.task)
    return [Predictions(case.labels, kind.columns(o, case.labels)["prediction"]) for o in case.outputs]


@pytest.mark.parametrize("name", CASES)
def test_scores_and_intervals_equal_the_recorded_ones_to_the_last_digit(name: str) -> None:
    case, wanted = CASES[name], expected()[name]
    kind = task_module(case.task)
    for number, outputs in enumerate(case.outputs[:3]):
        assert kind.metrics(outputs, case.labels, case.scores, positive=case.positive) == wanted["scores"][number]
        assert kind.mean_loss(outputs, case.labels) == wanted["loss"][number]
        for score in case.scores:
            ends = kind.interval(outputs, case.labels, score, positive=case.positive)
            assert list(ends) == wanted["intervals"][number][score], score


@pytest.mark.parametrize("name", LABELLED)
def test_what_a_model_without_learning_scores_equals_the_recorded(name: str) -> None:
    case, wanted = CASES[name], expected()[name]
    kind = task_module(case.task)
    found = {s: kind.majority(case.train, case.labels, s, positive=case.positive) for s in case.scores}
    assert found == wanted["baseline"]
    assert [bool(kind.constant_predictions(outputs)) for outputs in case.outputs] == wanted["constant"]


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("count", [1, 3])
def test_paired_tests_equal_the_recorded_ones_to_the_last_digit(name: str, count: int) -> None:
    case, made = CASES[name], answers_of(CASES[name])
    chosen = [(made[2 * number], made[2 * number + 1]) for number in range(count)]
    for score, wanted in expected()[name]["paired"][str(count)].items():
        test, p, interval = pairs._over_examples(chosen, case.task, score, case.positive)
        assert [test, p, interval.low, interval.high, interval.over] == wanted, score
