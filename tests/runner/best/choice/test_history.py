"""Rows that have been used before are counted: settings scored on those that select, searches that ended."""

from __future__ import annotations

from pathlib import Path

from runner.best.choice.history import settings_compared, times_reported
from runner.best.types import Budget
from runner.record.json_files import write_json
from tests.runner.best.endings import KEY, ROW, a_run, an_ending


def test_every_setting_that_was_scored_on_the_same_rows_counts(tmp_path: Path) -> None:
    mine = a_run(tmp_path, 0, ROW < 900)
    assert settings_compared(tmp_path, mine) == 1
    a_run(tmp_path, 1, ROW < 800, metrics={"train/settings": 8.0})
    tried = [{"settings": f"optimizer.lr={rate}", "third": 0.7, "whole": None} for rate in (0.1, 0.2, 0.3)]
    recipe = {"chosen": "optimizer.lr=0.1", "metric": "val/accuracy", "rows": 1000, "tried": tried}
    a_run(tmp_path, 4, ROW < 800, recipe=recipe)
    a_run(tmp_path, 2, ROW < 800, data={"fingerprints": {"val": "other", "test": "t"}})
    a_run(tmp_path, 3, ROW < 800, data={"selection": "tune/accuracy"})
    assert settings_compared(tmp_path, mine) == 12


def test_searches_that_share_the_reported_rows_are_counted(tmp_path: Path) -> None:
    ending = an_ending(tmp_path, Budget(max_kb=1000))
    winner = ending.records["tiny-1"]
    assert times_reported(tmp_path, winner, KEY) == 1
    for name, run in (("aaaaaaaaaa", winner.identity), ("bbbbbbbbbb", None), ("cccccccccc", "gone")):
        (tmp_path / "sweeps" / name).mkdir()
        write_json(tmp_path / "sweeps" / name / "best.json", {"run": run})
    assert times_reported(tmp_path, winner, KEY) == 2
