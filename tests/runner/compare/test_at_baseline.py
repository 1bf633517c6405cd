"""Rows at the level of the majority class are marked in everything that compare makes, and lead no front."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from runner.commands.diff import verdicts
from runner.compare import table
from runner.compare.analyse import analyse
from runner.compare.export import group_records, run_records, write_groups_csv
from runner.compare.html import report_page
from runner.compare.rows import Comparison
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group

MARKED = "model=dsn (at baseline)"
SMALLEST = {"cost/bytes_packed": 1, "cost/bytes_deployed": 1, "speed/answer_us_p50": 1.0, "cost/macs": 1}


def scores(low: float, high: float, **more: float) -> dict[str, float]:
    return {"test/accuracy_low": low, "test/accuracy_high": high, "baseline/majority": 0.5} | more


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """A small dsn that has learned nothing, a bert-tiny that has, and one of which nothing is known."""
    write_group(tmp_path, "model=dsn", right=[105, 104], metrics=scores(0.45, 0.59, **SMALLEST))
    write_group(tmp_path, "model=bert-tiny", right=[180, 181], metrics=scores(0.85, 0.93))
    write_group(tmp_path, "model=bert-mini", right=[182, 184])
    return analyse(select_runs(tmp_path, []), baseline="model=bert-tiny")


def test_every_table_marks_the_row(comparison: Comparison) -> None:
    for shown in (table.comparison_columns(comparison), table.columns_of_tests()):
        cells = [shown[0].cell(row) for row in comparison.rows]
        assert cells == ["model=bert-mini", "model=bert-tiny", MARKED]
    text = table.markdown(comparison, "t", None)
    assert text.count(f"| {MARKED} |") == 2 and "at baseline: not better, by more than chance" in text


def test_csv_has_a_column_for_it(comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_groups_csv(comparison, stream)
    lines = {line["group"]: line["at_baseline"] for line in csv.DictReader(path.open(encoding="utf-8"))}
    assert lines == {"model=dsn": "True", "model=bert-tiny": "False", "model=bert-mini": ""}
    assert [line["at_baseline"] for line in group_records(comparison)] == [None, False, True]
    assert [line["at_baseline"] for line in run_records(comparison)] == [None, None, False, False, True, True]


def test_the_report_and_its_figures_name_it(comparison: Comparison) -> None:
    page = report_page(comparison, title="t", question=None, made="")
    assert page.count('class="cross ') == 2 * 3, "in both drawings of each cost"
    assert f'data-tip="{MARKED}\ntest/accuracy' in page and page.count(f">{MARKED}</td>") == 2 + 2, (
        "two tables, two runs"
    )


def test_it_leads_no_front_though_nothing_is_smaller(comparison: Comparison) -> None:
    fronts = {row.group.name: row.fronts for row in comparison.rows}
    assert fronts["model=dsn"] == "" and fronts["model=bert-mini"] == "blm"


def test_a_test_with_such_a_side_says_so(comparison: Comparison, tmp_path: Path) -> None:
    verdict = {row.group.name: row.verdict for row in comparison.rows}
    assert verdict["model=dsn"].startswith("worse by 0.38") and verdict["model=dsn"].endswith(" (at baseline)")
    assert "at baseline" not in verdict["model=bert-mini"] and verdict["model=bert-tiny"] == "baseline"
    others = {row.group.name: row.verdict for row in analyse(select_runs(tmp_path, []), baseline="model=dsn").rows}
    assert others["model=bert-tiny"].endswith(" (against a group at baseline)")


def test_diff_says_it_of_a_run(comparison: Comparison) -> None:
    mini, tiny, low = (row.group.runs[0] for row in comparison.rows)
    assert verdicts(tiny, low)[-1].startswith(f"{low.identity}: at baseline, not better")
    assert all("at baseline" not in line for line in verdicts(mini, tiny))
