"""Checkpoints: an interrupted run resumes from the newest intact one and deletes the older ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from runner.errors import ConfigError
from runner.machine.matmul import use_gemm
from runner.record.folder import POINTS
from runner.record.json_files import write_json
from runner.record.writer import RecordWriter
from runner.training.checkpoint import CHECKPOINTS, Checkpoints, find_resume_point, logged_points
from tests.records import a_record, record_json

IDENTITY = "abc"
LINE = json.dumps({"step": 1, "time": 0.0, "train/loss": 0.5}) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that was killed: two points, a checkpoint, two more, another checkpoint."""
    write_json(tmp_path / "record.json", record_json(status="running", ended=None))
    for step in (2, 4):
        (tmp_path / POINTS).write_text(step * LINE)
        Checkpoints(tmp_path, f"{IDENTITY}/2-int8/first", 1.0).save({"weight": torch.ones(3)}, {"step": step})
    return tmp_path


def test_points_after_the_newest_checkpoint_are_logged_again_and_half_a_line_is_no_line(folder: Path) -> None:
    with (folder / POINTS).open("a") as stream:
        stream.write(LINE + LINE[:20])
    found = find_resume_point(folder, IDENTITY)
    assert found and found.logged == 4 * len(LINE)
    writer = RecordWriter.begin(folder, a_record(started="now"), found.logged)
    writer.point(6, {"train/loss": 0.25})
    steps = [json.loads(line)["step"] for line in (folder / POINTS).read_text().splitlines()]
    assert steps == [1, 1, 1, 1, 6]
    assert writer.record.started == a_record().started


@pytest.mark.parametrize("file", [POINTS, "record.json"])
def test_a_run_whose_past_is_damaged_starts_from_scratch(folder: Path, file: str) -> None:
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[:3])
    assert find_resume_point(folder, IDENTITY) is None
    (folder / file).write_bytes(content)
    found = find_resume_point(folder, IDENTITY)
    assert found and found.logged == 4 * len(LINE)
    assert find_resume_point(folder, "another") is None


def test_points_are_those_of_the_checkpoint_that_is_intact(folder: Path) -> None:
    (folder / "checkpoints" / "step-00000004.safetensors").write_bytes(b"")
    found = find_resume_point(folder, IDENTITY)
    assert found and found.logged == 2 * len(LINE)


def test_a_checkpoint_holds_the_kernels_that_the_run_computes_with(folder: Path) -> None:
    before = torch.get_float32_matmul_precision()
    try:
        for number, name in enumerate(("default", "onednn")):
            use_gemm(name)
            Checkpoints(folder, IDENTITY, 1.0).save({"weight": torch.ones(3)}, {"step": 10 + number})
            found = find_resume_point(folder, IDENTITY)
            assert found and found.engine == {"gemm": name, "threads": torch.get_num_threads()}
    finally:
        torch.set_float32_matmul_precision(before)


def test_what_a_killed_process_was_writing_is_cleared_away(folder: Path) -> None:
    for name in ("record.json.77.part", "predictions-test.part", "mlflow.json.78.part"):
        (folder / name).write_text("half")
    (folder / ".model.77.part").mkdir()
    (folder / ".model.77.part" / "config.json").write_text("{")
    (folder / ".model.78.old").mkdir()
    RecordWriter.begin(folder, a_record(), None)
    names = {path.name for path in folder.rglob("*")}
    assert {name for name in names if name.endswith((".part", ".old"))} == {"mlflow.json.78.part"}, (
        "its helper may live"
    )


def test_a_checkpoint_is_made_every_so_many_seconds_and_at_the_end_of_an_epoch_that_took_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("runner.training.checkpoint.time.monotonic", lambda: now)
    checkpoints = Checkpoints(tmp_path, "test", every_s=300.0)
    now += 0.5
    assert not checkpoints.due() and not checkpoints.due(at_epoch_end=True)
    now += 1.0
    assert not checkpoints.due() and checkpoints.due(at_epoch_end=True)
    now += 300.0
    assert checkpoints.due()


def test_a_checkpoint_in_a_deeper_folder_knows_how_many_points_the_run_has_logged(tmp_path: Path) -> None:
    (tmp_path / POINTS).write_text("{}\n", encoding="utf-8")
    Checkpoints(tmp_path, "test", 1.0, f"{CHECKPOINTS}/one").save({"weight": torch.ones(3)}, {"step": 1})
    found = json.loads((tmp_path / CHECKPOINTS / "one" / "step-00000001.json").read_text(encoding="utf-8"))
    assert found["logged"] == logged_points(tmp_path) and found["logged"][0] == 3


def test_a_folder_that_was_removed_during_the_run_gets_no_checkpoint_without_points(folder: Path) -> None:
    checkpoints = Checkpoints(folder, IDENTITY, 1.0)
    shutil.rmtree(folder)
    with pytest.raises(ConfigError, match=r"was removed during the run\. Try: the same command"):
        checkpoints.save({"weight": torch.ones(3)}, {"step": 6})
    assert not folder.exists(), "a run that goes on from it would lack the points before"
