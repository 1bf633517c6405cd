"""Steps to a target, areas and divergence, on curves worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from runner.record.learning_curve import Curve, area, collapsed, curve, last, late, steps_to, target
from tests.records import record_json


def line(*scores: float, every: int = 10) -> Curve:
    steps = np.arange(1, len(scores) + 1) * every
    return Curve(steps, np.array(scores), int(steps[-1]))


def test_the_target_is_the_mean_of_the_baselines_best_smoothed_scores() -> None:
    runs = [line(0.1, 0.9, 0.5, 0.7), line(0.2, 0.7)]  # 0.7 of 0.5 and 0.7; 0.45, as there are but two
    assert target(runs) == pytest.approx(0.575)
    assert target(runs, 0.99) == pytest.approx(0.99 * 0.575)


def test_a_noisy_baseline_reaches_its_own_target() -> None:
    noisy = [line(*np.random.default_rng(seed).normal(0.8, 0.02, 20)) for seed in range(3)]
    assert any(steps_to(run, target(noisy))[1] for run in noisy)


def test_a_target_is_reached_when_the_mean_of_three_evaluations_is() -> None:
    run = line(0.9, 0.5, 0.7, 0.8, 0.9, 0.9)
    assert steps_to(run, 0.7) == (30, True)
    assert steps_to(run, 0.8) == (50, True)
    assert steps_to(run, 0.95) == (60, False)


def test_a_single_lucky_evaluation_is_not_the_target() -> None:
    assert steps_to(line(0.5, 0.9, 0.5, 0.5), 0.8) == (40, False)


def test_the_area_is_the_mean_height() -> None:
    assert area(line(0.0, 1.0)) == pytest.approx(0.5)
    assert area(line(0.5, 0.5, 0.5)) == pytest.approx(0.5)
    assert area(line(0.7)) == pytest.approx(0.7)


def test_the_loss_at_the_end_is_that_of_many_batches_and_not_of_an_odd_last_one(tmp_path: Path) -> None:
    losses = [1.1] * 180 + [0.9] * 19 + [2.8]
    (tmp_path / "metrics.jsonl").write_text(
        "".join(json.dumps({"time": 0.0, "step": step, "train/loss": loss}) + "\n" for step, loss in enumerate(losses))
    )
    assert late(tmp_path, "train/loss") == pytest.approx((19 * 0.9 + 2.8) / 20)
    assert (late(tmp_path, "val/loss"), last(tmp_path, "train/loss")) == (None, 2.8)


def test_a_fall_for_good_after_the_ramp_is_a_collapse() -> None:
    run = line(0.8, 0.9, 0.6, 0.6)
    assert collapsed(run, after=10) and not collapsed(run, after=30)
    assert not collapsed(line(0.9, 0.6, 0.9), after=0)


def test_a_curve_is_read_from_a_run_folder_and_a_resumed_step_counts_once(tmp_path: Path) -> None:
    data = {"primary": "test/accuracy", "rows": {"train": 9, "val": 9, "test": 9}, "task": "classification"}
    record = record_json(data=data, metrics={"train/steps": 30})
    (tmp_path / "record.json").write_text(json.dumps(record))
    points = [{"step": 10, "val/accuracy": 0.1}, {"step": 5, "train/loss": 2.0}, {"step": 10, "val/accuracy": 0.5},
              {"step": 20, "val/accuracy": 0.7, "val/mse": 1.0}]  # fmt: skip
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps({"time": 0.0} | point) + "\n" for point in points))
    found = curve(tmp_path)
    assert (found.steps.tolist(), found.scores.tolist(), found.total) == ([10, 20], [0.5, 0.7], 30)
    assert (last(tmp_path, "val/accuracy"), last(tmp_path, "val/f1")) == (0.7, None)
    with pytest.raises(ValueError, match="better lower"):
        curve(tmp_path, "val/mse")
    with pytest.raises(ValueError, match="logged no val/f1"):
        curve(tmp_path, "val/f1")
    with pytest.raises(ValueError, match="holds no run"):
        curve(tmp_path / "nothing")
