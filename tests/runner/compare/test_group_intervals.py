"""The intervals of a group's mean score: over seeds, over examples, and the one that spans both."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from runner.compare.group_intervals import group_intervals
from runner.compare.groups import Group, make_groups
from runner.compare.select import select_runs
from tests.runner.compare.folders import answers_with, write_group, write_run


def group(output: Path) -> Group:
    (found,) = make_groups(select_runs(output, []).runs)
    return found


def test_the_interval_spans_that_of_the_seeds_and_that_of_the_examples(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[725, 726, 727], count=1000)
    found = group_intervals(group(tmp_path), "test/accuracy")
    assert found.seeds is not None and found.examples is not None and found.both is not None
    assert (found.seeds.low, found.seeds.high) == pytest.approx((0.7235, 0.7285), abs=1e-4)  # t of 2: 4.303 / sqrt(3)
    assert (found.examples.low, found.examples.high) == pytest.approx((0.6975, 0.7527), abs=5e-4)  # Wilson 1927
    assert (found.both.low, found.both.high) == (found.examples.low, found.examples.high)


def test_a_metric_that_is_no_score_of_examples_has_the_interval_of_the_seeds(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[725, 726, 727], count=1000, metrics={"cost/params": 500})
    found = group_intervals(group(tmp_path), "cost/params")
    assert found.examples is None and found.both == found.seeds


def test_the_interval_of_few_seeds_ends_where_the_score_does(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[100, 60], count=100)
    found = group_intervals(group(tmp_path), "test/accuracy")
    assert found.seeds is not None and (found.seeds.low, found.seeds.high) == (0.0, 1.0)


def test_a_score_that_is_not_a_number_leaves_the_mean_without_an_interval(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[900, 901], count=1000)
    labels, answers = answers_with(900, 1000, 2)
    write_run(tmp_path, "model=dsn", seed=2, labels=labels, answers=answers, metrics={"test/accuracy": math.nan})
    assert group_intervals(group(tmp_path), "test/accuracy").both is None


def test_one_seed_has_no_interval_over_seeds(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[900], count=1000)
    found = group_intervals(group(tmp_path), "test/accuracy")
    assert found.seeds is None and found.both is not None and found.both.over == "1000 examples, one seed"
