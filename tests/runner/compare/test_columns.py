"""The columns of a comparison: numbers with their units, and what older records show."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.compare.analyse import analyse
from runner.compare.columns import Column, comparison_columns, p_value_text, short_number
from runner.compare.rows import Comparison, Row
from runner.compare.select import select_runs
from runner.compare.table import legend_of_columns, markdown
from tests.runner.compare.folders import write_group


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    write_group(tmp_path, "model=dsn", right=[150, 152])
    write_group(tmp_path, "model=bert-tiny", right=[180, 182], metrics={"cost/params_nonzero": 400})
    return analyse(select_runs(tmp_path, []), baseline="model=dsn")


@pytest.mark.parametrize(("value", "text"), [(4_470_000, "4.47 M"), (368, "368"), (2e9, "2.00 G"), (1500, "1.50 k")])
def test_large_numbers_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


def test_tiny_p_values_are_bounds() -> None:
    assert (p_value_text(0.0234), p_value_text(1e-9)) == ("0.023", "<0.0001")


def test_only_columns_with_values_are_there(comparison: Comparison) -> None:
    titles = [column.title for column in comparison_columns(comparison)]
    assert titles[:2] == ["group", "test/accuracy"] and "non-zero" in titles
    assert "ONNX ms" not in titles and "trained" not in titles and "metric" not in titles


def test_size_and_time_are_of_whole_answers_and_older_records_are_marked(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150])
    write_group(tmp_path, "model=bert-tiny", right=[180], older=True)
    found = analyse(select_runs(tmp_path, []))
    size, time = (
        next(c for c in comparison_columns(found) if c.title == title) for title in ("deployed MB", "answer us")
    )
    by_model = {row.group.settings["model.name"]: (size.cell(row), time.cell(row)) for row in found.rows}
    assert by_model == {"dsn": ("0.01", "600"), "bert-tiny": ("0.0044*", "1,000*")}
    page = markdown(found, "title", None)
    assert "only the weights" in page and "(speed/latency_ms_p50_b1_s128)" in page
    assert "small (b: bytes of the weights file), fast (l: ms (speed/latency_ms_p50_b1_s128)) or cheap" in page


def test_details_are_columns_when_asked_for(comparison: Comparison) -> None:
    titles = [column.title for column in comparison_columns(comparison)]
    assert "packed MB" not in titles and "*" not in "".join(legend_of_columns(comparison))
    comparison.details = ("cost/bytes_packed", "speed/latency_ms_p50_b1_s128")
    packed, latency = comparison_columns(comparison)[-3:-1]
    assert (packed.title, latency.title) == ("packed MB", "speed/latency_ms_p50_b1_s128")
    assert packed.cell(comparison.rows[0]) == "0.0040" and latency.cell(comparison.rows[0]) == "1"


def test_an_empty_cell_is_empty_text(comparison: Comparison) -> None:
    def nothing(row: Row) -> None:
        return None

    assert Column("x", True, nothing, "{:.2f}".format).cell(comparison.rows[0]) == ""
