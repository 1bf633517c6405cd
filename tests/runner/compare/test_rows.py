"""A row says what it is and how its test ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.compare.groups import make_groups
from runner.compare.pairs import Paired, Refused
from runner.compare.rows import Comparison, Intervals, Row
from runner.compare.select import Selection, select_runs
from runner.statistics.paired import Interval
from tests.runner.compare.folders import DATA, write_group

BETTER = Paired("test/accuracy", 0.1, lambda: Interval(0.05, 0.15, ""), 0.001, None, "McNemar", [0], 200, False)


@pytest.fixture
def row(tmp_path: Path) -> Row:
    write_group(tmp_path, "model=dsn", right=[150, 160])
    (group,) = make_groups(select_runs(tmp_path, []).runs)
    return Row(group, "test/accuracy", group.mean("test/accuracy"), 0.01, Intervals(), {})


def test_a_row_counts_its_seeds_and_knows_its_examples(row: Row) -> None:
    assert (row.n, row.examples, row.label) == (2, DATA, "model=dsn data=demo")
    assert replace(row, metric="test/f1").n == 0


def test_the_verdict_names_a_side_that_has_learned_nothing(row: Row) -> None:
    assert row.verdict == "" and replace(row, is_baseline=True).verdict == "baseline"
    tested = replace(row, paired=BETTER)
    assert tested.verdict == "better by 0.1000, one seed"
    low = replace(tested, at_baseline=True)
    assert low.verdict.endswith("(at baseline)") and low.label.endswith("(at baseline)")
    assert replace(low, other_at_baseline=True).verdict.endswith("(both at baseline)")
    assert replace(tested, other_at_baseline=True).verdict.endswith("(against a group at baseline)")
    assert replace(row, paired=Refused("no pairs")).verdict == "not compared: no pairs"


def test_a_comparison_lists_its_groups_and_what_varies(row: Row) -> None:
    comparison = Comparison([row, row], None, None, 0, Selection([]))
    assert comparison.groups == [row.group, row.group] and comparison.varying == []
