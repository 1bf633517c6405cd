"""Of several baselines a row is compared with the one that is most like it."""

from __future__ import annotations

from pathlib import Path

from runner.compare.analyse import analyse
from runner.compare.nearest import nearest, same_table
from runner.compare.rows import Row
from runner.compare.select import select_runs
from tests.runner.compare.folders import write_run


def rows_of(output: Path) -> dict[tuple[str, float], Row]:
    for model in ("dsn", "bert-tiny"):
        for lr in (0.001, 0.01):
            write_run(output, f"model={model}", f"optimizer.lr={lr}", metrics={"test/accuracy": 0.7})
    write_run(output, "model=dsn", "optimizer.lr=0.1", fingerprint="e" * 64, metrics={"test/accuracy": 0.7})
    rows = analyse(select_runs(output, [])).rows
    return {
        (str(row.group.settings["model.name"]), float(str(row.group.settings["optimizer.lr"]))): row for row in rows
    }


def test_the_nearest_baseline_shares_the_most_settings(tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    bases = [rows["dsn", 0.001], rows["dsn", 0.01]]
    assert nearest(rows["bert-tiny", 0.01], bases) == [rows["dsn", 0.01]]
    assert nearest(rows["dsn", 0.001], bases) == [rows["dsn", 0.001]], "a baseline is its own"
    assert nearest(rows["bert-tiny", 0.01], []) == []


def test_baselines_of_other_examples_are_in_another_table(tmp_path: Path) -> None:
    rows = rows_of(tmp_path)
    bases = [rows["dsn", 0.001], rows["dsn", 0.1]]
    assert same_table(rows["bert-tiny", 0.001], bases) == [rows["dsn", 0.001]]
