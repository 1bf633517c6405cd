"""Many models: runs that differ in the seed alone are one arm, and arms are compared over pairs of seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.probing.arms import ALL_TASKS, Arm, arms_of, groups_of
from runner.record.subject import Subject
from tests.runner.compare.folders import typed, write_group
from tests.runner.probing.reports import made_report


def test_runs_of_one_recipe_are_one_arm_and_seeds_are_paired(tmp_path: Path) -> None:
    records = typed(write_group(tmp_path, "model=dsn", right=[1, 2, 3]))
    records += typed(write_group(tmp_path, "model=bert-tiny", right=[1, 2, 3]))
    subjects = [Subject(record.identity, record.name, tmp_path, record) for record in records]
    reports = [made_report(value)[0] for value in (0.70, 0.72, 0.74, 0.75, 0.78, 0.79)]
    first, second = arms_of(subjects, reports)
    assert (first.name, second.name) == ("model=dsn", "model=bert-tiny")
    assert groups_of([first, second]) == ["semantic"]
    assert second.mean("semantic") == pytest.approx(0.7733, abs=1e-3)
    p, interval = second.against(first, "semantic") or (None, None)
    assert p is not None and interval is not None and p < 0.05
    assert interval.low < 0.0533 < interval.high
    assert first.interval(ALL_TASKS) is not None


def test_models_of_the_hub_are_arms_of_one(tmp_path: Path) -> None:
    (only,) = arms_of([Subject("a/model", "a/model")], [made_report()[0]])
    assert only.interval("semantic") is None and only.against(only, "semantic") is None


def test_a_difference_is_over_the_pairs_of_seeds_that_its_interval_is_over() -> None:
    first = Arm("A", {seed: made_report(share)[0] for seed, share in enumerate((0.70, 0.71, 0.90))})
    second = Arm("B", {seed: made_report(share)[0] for seed, share in enumerate((0.75, 0.77))})
    found = second.against(first, "semantic")
    assert found is not None and second.mean("semantic") < first.mean("semantic"), "by a seed that only one of them has"
    assert second.difference(first, "semantic") == pytest.approx(0.055)
    assert found[1].low < 0.055 < found[1].high
    assert first.interval("semantic") == (pytest.approx(0.4897, abs=1e-3), 1.0), "no accuracy is above 1"
    alone = Arm("C", {2: made_report(0.8)[0]})
    assert alone.difference(second, "semantic") == pytest.approx(0.04), "no seed in common: of the means"
