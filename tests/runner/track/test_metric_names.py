"""Which metrics are a run's headlines, which are curves, and that sections of names come in the wanted order."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.record.metrics import check
from runner.record.record import RunRecord
from runner.track.folder import record_to_mirror
from runner.track.metric_names import AT_STEP, COSTS, DETAIL, MOST, allowed_name, curve_name, headline_names, is_curve
from tests.runner.track.folders import write_record

SCORES = ["accuracy", "f1", "precision", "recall"]


def record_of(folder: Path, primary: str = "test/accuracy", **more: float) -> RunRecord:
    """A record with all that may be a headline, and other metrics."""
    scores = {f"{split}/{score}": 0.5 for split in ("val", "val_mm", "test") for score in [*SCORES, "loss", "ece"]}
    metrics = scores | dict.fromkeys(COSTS, 1.0) | {"cost/macs": 1.0, "test/accuracy_low": 0.4} | more
    rows = {"train": 90, "val": 10, "val_mm": 10, "test": 10}
    data = {"name": "imdb", "rows": rows, "task": "classification", "primary": primary, "selection": "val/accuracy"}
    config = {"data": {"name": "imdb", "text": "text", "text_pair": None, "max_length": 128, "metrics": SCORES}}
    return record_to_mirror(write_record(folder / "abc", metrics=metrics, config=config, data=data))


def test_a_dozen_headlines_begin_with_the_score_and_keep_costs_and_time(tmp_path: Path) -> None:
    found = headline_names(record_of(tmp_path))
    assert len(found) == MOST == 12 and found[:3] == ["test/accuracy", "test/f1", "test/precision"]
    assert set(COSTS) <= set(found) and all(check(name) for name in found)
    assert "cost/macs" not in found and "test/accuracy_low" not in found


def test_only_what_was_measured_is_a_headline(tmp_path: Path) -> None:
    record = record_to_mirror(write_record(tmp_path / "abc"))
    assert headline_names(record) == ["test/accuracy", "cost/params"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("train/loss", True), ("val/f1", True), ("val_mm/loss", True), ("train/tokens_per_s", False),
     ("val/balanced_accuracy", False), ("prune/density_model", False), ("train/f1", False)],
)  # fmt: skip
def test_losses_and_the_scores_asked_for_are_curves(name: str, expected: bool, tmp_path: Path) -> None:
    assert is_curve(name, record_of(tmp_path)) is expected


def test_curves_come_before_headlines_in_the_order_of_names(tmp_path: Path) -> None:
    names = [curve_name("val/accuracy"), *headline_names(record_of(tmp_path)), f"{DETAIL}cost/macs"]
    assert min(names) == "at_step/val_accuracy" and AT_STEP < "baseline/"


def test_names_are_those_that_mlflow_allows() -> None:
    assert allowed_name("test/ndcg@10_low") == "test/ndcg_at_10_low" and allowed_name("test/f1") == "test/f1"
