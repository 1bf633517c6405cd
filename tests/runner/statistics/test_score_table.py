"""The list of scores: one name each, and the facts that others read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.record.metrics import check
from runner.statistics.score_table import CHOICES, OF_ONE_CLASS, SCORE_TABLE
from runner.tasks import TASKS, task_class
from tests.conftest import REPO


@pytest.mark.parametrize("name", SCORE_TABLE)
def test_every_score_is_a_metric_of_each_split_with_its_own_facts(name: str) -> None:
    score, metric = SCORE_TABLE[name], check(f"val/{name}")
    assert (metric.unit, metric.direction, metric.meaning) == (score.unit, score.direction, score.meaning)
    assert score.direction in ("higher", "lower") and check(f"test/{name}_low").direction == "none"


@pytest.mark.parametrize("name", TASKS)
def test_every_score_of_a_task_is_in_the_list(name: str) -> None:
    assert set(task_class(name).scores) <= set(SCORE_TABLE)


def test_scores_that_a_task_always_has_are_no_choice() -> None:
    assert "perplexity" not in CHOICES and {"accuracy", "mse"} <= set(CHOICES)
    assert OF_ONE_CLASS == ("f1", "precision", "recall")


def test_the_list_needs_nothing_but_the_standard_library() -> None:
    code = "import sys, runner.statistics.score_table; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True)
    assert "numpy" not in done.stdout.split()
