"""A record while its run goes on: every change is in the file, a resumed run keeps its start and its points."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.record.folder import POINTS, read_record
from runner.record.record import RunRecord, StageEntry
from runner.record.writer import RecordWriter
from tests.records import a_record, read


def begun(folder: Path, logged: int | None = None) -> RecordWriter:
    """A writer of a run that has just begun."""
    return RecordWriter.begin(folder, a_record(status="running", ended=None), logged)


def points(folder: Path) -> list[dict[str, Any]]:
    """The logged points without their time."""
    lines = (folder / POINTS).read_text(encoding="utf-8").splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "time"} for line in lines]


def test_a_run_is_recorded_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    writer = begun(tmp_path)
    assert (read(tmp_path) or {})["status"] == "running"
    writer.point(1, {"train/loss": 0.7})
    writer.add_metrics({"test/accuracy": 0.9})
    writer.add_notes(["a note"])
    writer.set_steps(4)
    writer.add_engine({"gemm": "default"})
    writer.close_stage(StageEntry("train", {"test/accuracy": 0.9}, "0123456789", 1.5))
    writer.finish("done")
    record = read_record(tmp_path)
    assert record is not None and record.to_json() == writer.record.to_json() | {"identity": tmp_path.name}
    assert (record.status, record.steps, record.notes, record.headline) == ("done", 4, ["a note"], 0.9)
    assert record.environment.gemm == "default" and record.stages[0].seconds == 1.5
    assert record.ended and record.started and points(tmp_path) == [{"step": 1, "train/loss": 0.7}]


def test_an_unknown_metric_is_refused_wherever_it_is_given(tmp_path: Path) -> None:
    writer = begun(tmp_path)
    with pytest.raises(KeyError, match="unknown metric"):
        writer.add_metrics({"test/acuracy": 1.0})
    with pytest.raises(KeyError, match="unknown metric"):
        writer.point(1, {"loss": 1.0})


def test_a_resumed_run_keeps_its_start_and_the_points_before_its_checkpoint(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.point(1, {"train/loss": 0.7})
    logged = (tmp_path / POINTS).stat().st_size
    first.point(2, {"train/loss": 0.6})
    (tmp_path / "error.txt").write_text("x", encoding="utf-8")
    again = begun(tmp_path, logged)
    assert again.record.started == first.record.started and len(points(tmp_path)) == 1
    again.point_once(1, {"train/loss": 0.7})
    again.point_once(2, {"train/loss": 0.6})
    assert [point["step"] for point in points(tmp_path)] == [1, 2] and not (tmp_path / "error.txt").exists()
    assert not begun(tmp_path).folder.joinpath(POINTS).exists(), "a run from scratch has no points"


def test_a_chain_takes_over_what_its_earlier_stages_found(tmp_path: Path) -> None:
    before = a_record(
        metrics={"test/accuracy": 0.9}, steps=7, notes=["first", "both"],
        stages=[{"name": "train", "metrics": {"test/accuracy": 0.9}}], environment={"engine": {"gemm": "default"}},
    )  # fmt: skip
    writer = begun(tmp_path)
    writer.add_notes(["both", "last"])
    writer.add_engine({"precision": "fp32"})
    writer.continue_from(before)
    record: RunRecord = writer.record
    assert record.notes == ["first", "both", "last"] and record.steps == 7 and record.stages == before.stages
    assert record.environment.engine == {"gemm": "default", "precision": "fp32"}


def test_a_pruned_trial_and_a_failure_say_so(tmp_path: Path) -> None:
    writer = begun(tmp_path)
    writer.mark_pruned()
    writer.finish("killed", "other trials are better")
    content = read(tmp_path) or {}
    assert content["pruned"] is True and content["status"] == "killed"
    writer.fail("OSError: no space")
    assert (writer.record.status, writer.record.reason) == ("failed", "OSError: no space")


def test_a_further_stage_does_not_inherit_the_numbers_of_graphs(tmp_path: Path) -> None:
    before = a_record(
        metrics={
            "test/accuracy": 0.9,
            "cost/bytes_onnx_int8": 9.0,
            "speed/onnx_ms_p50_b1_s128": 0.5,
            "cost/params": 7.0,
        }
    )
    writer = begun(tmp_path)
    writer.continue_from(before)
    assert writer.record.metrics == {"test/accuracy": 0.9, "cost/params": 7.0}
