"""Runs as one comparison: the order of its rows, its tests against a baseline, its fronts, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.compare.analyse import analyse
from runner.compare.pairs import Paired, Refused
from runner.compare.rows import Comparison
from runner.compare.select import select_runs
from runner.errors import ConfigError
from tests.runner.compare.folders import write_group


def compared(output: Path, **options: Any) -> Comparison:
    return analyse(select_runs(output, []), **options)


def names(comparison: Comparison) -> list[str]:
    return [row.group.name for row in comparison.rows]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Three groups of two seeds: bert-mini is best and costs most, dsn-32 is as expensive as bert-tiny and worse."""
    costs = ["cost/bytes_deployed", "speed/answer_us_p50", "cost/macs"]
    for model, right, price in (("dsn-32", 120, 2), ("bert-mini", 180, 3), ("bert-tiny", 150, 2)):
        metrics = dict.fromkeys(costs, price * 1000.0) | {"test/ece": 1 - right / 200}
        write_group(tmp_path, f"model={model}", right=[right, right + 2], metrics=metrics)
    return tmp_path


def test_the_best_row_comes_first_also_where_lower_is_better(output: Path) -> None:
    wanted = ["model=bert-mini", "model=bert-tiny", "model=dsn-32"]
    assert names(compared(output)) == names(compared(output, metric="test/ece")) == wanted


def test_each_row_but_the_baseline_is_tested_against_it(output: Path) -> None:
    found = compared(output, baseline={"model": "bert-tiny"})
    assert found.baseline == "model=bert-tiny" and found.tests == 2
    tests = {row.group.name: row.paired for row in found.rows}
    assert tests["model=bert-tiny"] is None
    better, worse = tests["model=bert-mini"], tests["model=dsn-32"]
    assert isinstance(better, Paired) and better.difference == pytest.approx(0.15)
    assert isinstance(worse, Paired) and worse.difference == pytest.approx(-0.15)


def test_a_row_on_other_examples_is_not_tested(output: Path) -> None:
    write_group(output, "model=ngram", right=[150], fingerprint="e" * 64)
    found = {row.group.name: row.paired for row in compared(output, baseline="model=bert-tiny").rows}
    other = next(test for name, test in found.items() if "ngram" in name)
    assert isinstance(other, Refused) and "scored on different examples" in other.reason


def test_a_front_has_the_rows_that_no_cheaper_row_beats(output: Path) -> None:
    fronts = {row.group.name: row.fronts for row in compared(output).rows}
    assert fronts["model=dsn-32"] == "" and len(fronts["model=bert-tiny"]) == len(fronts["model=bert-mini"]) > 1


@pytest.mark.parametrize(("options", "said"), [
    ({"metric": "test/accurcy"}, r"no selected run has it\. They have: .*Try: --metric test/accuracy"),
    ({"baseline": "model=bert-huge"}, "no group matches. Groups: model=bert-mini; "),
    ({"baseline": "bert-tiny"}, 'name a group by key=value. Try: --baseline "model=bert-mini"'),
    ({"baseline": "model=dsn-32 seed=0"}, "a group has all seeds and folds. Leave out seed=0"),
    ({"baseline": "modle=dsn-32"}, "no recorded run has the key modle; did you mean model"),
])  # fmt: skip
def test_what_no_run_has_is_refused_with_the_cure(output: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        compared(output, **options)


def test_a_sweep_whose_baseline_failed_is_still_shown(output: Path) -> None:
    found = compared(output, baseline="model=bert-huge", forgiving=True)
    assert found.baseline is None and found.tests == 0
    assert any(note.startswith("no tests: --baseline model=bert-huge") for note in found.notes)
