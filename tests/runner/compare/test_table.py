"""The text of a comparison: numbers with their units, tables that fit, Markdown that stays a table."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from runner.compare.analyse import analyse
from runner.compare.columns import comparison_columns
from runner.compare.rows import Comparison
from runner.compare.select import select_runs
from runner.compare.table import markdown, part_titles, print_comparison
from runner.compare.table import split_to_width as split
from tests.runner.compare.folders import write_group


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    write_group(tmp_path, "model=dsn", right=[150, 152])
    write_group(tmp_path, "model=bert-tiny", right=[180, 182], metrics={"cost/params_nonzero": 400})
    return analyse(select_runs(tmp_path, []), baseline="model=dsn")


def test_a_wide_table_is_split_and_each_part_begins_with_the_groups(comparison: Comparison) -> None:
    columns = comparison_columns(comparison)
    parts = split(columns, comparison.rows, 60)
    assert len(parts) > 1 and all(part[0] is columns[0] for part in parts)
    assert [column for part in parts for column in part[1:]] == columns[1:]


def test_the_parts_of_a_split_table_have_titles_of_their_own(comparison: Comparison) -> None:
    parts = split(comparison_columns(comparison), comparison.rows, 60)
    titles = part_titles("compared", parts)
    assert (
        len(titles) == len(parts) > 1 and titles[0] == "compared: scores" and titles[-1] == "compared: sizes and times"
    )
    assert part_titles("compared", parts[:1]) == ["compared"]
    assert part_titles("against x", [parts[0][:1], parts[0][:1]]) == ["against x", "against x, continued"]


def test_baselines_are_the_last_rows_of_the_table(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150], metrics={"baseline/majority": 0.5})
    stream = io.StringIO()
    found = analyse(select_runs(tmp_path, []))
    print_comparison(found, Console(file=stream, width=80))
    assert stream.getvalue().count("majority-class baseline   ") == 1, "not in the parts where it has no number"
    table = [line for line in markdown(found, "title", None).splitlines() if line.startswith("|")]
    assert table[-1].startswith("| majority-class baseline | 0.5000 |")


def test_markdown_is_one_table_whatever_a_name_holds(comparison: Comparison) -> None:
    comparison.rows[0].group.name = "a|b\nc"
    page = markdown(comparison, "title", "question?")
    assert page.startswith("# title\n\nquestion?\n\n| group | test/accuracy |") and "| a\\|b c |" in page
    widths = {line.replace("\\|", "").count("|") for line in page.split("\n\n")[2].splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_a_terminal_gets_tables_legends_and_no_markup(comparison: Comparison) -> None:
    comparison.rows[0].group.name = "[red]x[/red]"
    stream = io.StringIO()
    print_comparison(comparison, Console(file=stream, width=200))
    said = stream.getvalue()
    assert "[red]x[/red]" in said and "Pareto-optimal: no other row is at least as accurate" in said
    assert "p Holm: the larger of the two p-values, corrected for 1 test" in said
