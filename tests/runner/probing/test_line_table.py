"""One row for each task, pooling and layer, the same numbers as in the report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runner.probing.line_table import rows_of, write_rows
from runner.probing.results import Line
from tests.runner.probing.reports import made_report


def test_every_line_is_a_row_with_its_controls(tmp_path: Path) -> None:
    report = made_report(0.8)[0]
    bare = replace(report.tasks[1], name="structural_depth", group=None, lines=[Line("word", 0, -0.5, 0.7, 0.6, 0.8)])
    report = replace(report, tasks=[report.tasks[0], bare])
    table = pq.read_table(write_rows(tmp_path, report))
    assert table.num_rows == 3 and table.to_pylist() == rows_of(report)
    best = table.to_pylist()[1]
    assert (best["task"], best["pool"], best["layer"], best["is_best"]) == ("past_present", "mean", 1, True)
    assert (best["rows_report"], best["accuracy"], best["majority"]) == (400, 0.8, 0.5)
    assert best["selectivity"] == pytest.approx(0.25)
    assert table.schema.field("spearman").type == "double" and table.column("spearman").null_count == 3
    assert not [*tmp_path.glob("*.part")]
