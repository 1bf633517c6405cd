"""A comparison as data: the same keys in every line, and no formula for a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq

from runner.compare.analyse import analyse
from runner.compare.export import group_records, run_records, write_csv, write_groups_csv, write_parquet
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_group


def test_every_group_and_every_run_has_the_same_keys(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 152])
    write_group(tmp_path, "model=bert-tiny", right=[180, 182], metrics={"train/loss": 0.5})
    comparison = analyse(select_runs(tmp_path, []), baseline="model=dsn")
    groups, runs = group_records(comparison), run_records(comparison)
    assert len({tuple(line) for line in groups}) == len({tuple(line) for line in runs}) == 1
    assert [line["group"] for line in groups] == ["model=bert-tiny", "model=dsn"]
    assert groups[0]["difference"] > 0 and groups[1]["baseline"] and groups[1]["difference"] is None
    assert sorted(line["seed"] for line in runs) == [0, 0, 1, 1]
    stream = io.StringIO()
    write_groups_csv(comparison, stream)
    assert [line["n"] for line in csv.DictReader(io.StringIO(stream.getvalue()))] == ["2", "2"]
    write_parquet(groups, tmp_path / "groups.parquet")
    assert pq.read_table(tmp_path / "groups.parquet").column("group").to_pylist() == ["model=bert-tiny", "model=dsn"]


def test_text_like_a_formula_gets_an_apostrophe() -> None:
    stream = io.StringIO()
    write_csv([{"name": "=1+1", "value": -1.5}], stream)
    assert stream.getvalue() == "name,value\n'=1+1,-1.5\n"
