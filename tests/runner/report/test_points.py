"""The logged points of a run as curves: thinned, in the order of interest, damaged lines left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.report.points import MOST_POINTS, by_interest, read_points, thinned


def test_long_curves_are_thinned_to_means_and_damaged_lines_are_skipped(tmp_path: Path) -> None:
    lines = [json.dumps({"step": step, "time": 0.0, "val/accuracy": step / 1000}) for step in range(1, 1001)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines, '{"step": 1001, "val/acc']), encoding="utf-8")
    points = read_points(tmp_path)["val/accuracy"]
    assert len(points) <= MOST_POINTS and points[-1][0] == 1000
    assert points[0] == pytest.approx((7, 0.004)), "steps 1 to 7: their mean, at the last of them"


def test_a_run_without_points_has_no_curves(tmp_path: Path) -> None:
    assert read_points(tmp_path) == {}


def test_short_curves_stay_as_they_are() -> None:
    assert thinned([(1, 0.5), (2, 0.6)]) == [(1, 0.5), (2, 0.6)]


def test_the_training_loss_comes_first_and_modules_last() -> None:
    names = ["mix/center", "val/accuracy", "train/loss"]
    assert sorted(names, key=by_interest) == ["train/loss", "val/accuracy", "mix/center"]
