from __future__ import annotations

from pathlib import Path

import pytest

from runner.track import resync
from runner.track.connection import connect
from runner.track.errors import TrackError
from runner.track.resync import run_folders, sweep_folders, sync_all
from runner.track.settings import TrackerSettings
from tests.runner.track.folders import write_record, write_run


def test_all_run_folders_are_mirrored_once(output: Path) -> None:
    write_run(output / "aaa")
    write_run(output / "more" / "bbb")
    (output / "ccc").mkdir()
    (output / "ccc" / "record.json").write_text("{half", encoding="utf-8")
    told: list[str] = []
    first = sync_all(output, TrackerSettings(), told.append)
    assert str(first) == "2 created, 1 failed"
    assert len(told) == 1 and told[0].startswith("ccc: ") and "holds no JSON object" in told[0]
    assert str(sync_all(output, TrackerSettings(), told.append)) == "2 unchanged, 1 failed"
    target = connect(TrackerSettings(), output)
    assert len(target.client.search_runs([target.experiment_id])) == 2


def test_copies_inside_the_store_are_not_taken_for_runs(output: Path) -> None:
    write_run(output / "aaa")
    sync_all(output, TrackerSettings(), print)
    assert list(output.glob("mlartifacts/**/record.json"))
    assert list(run_folders(output)) == [output / "aaa"]


def test_sweeps_of_several_machines_are_found_and_the_record_in_a_bundle_is_no_run(output: Path) -> None:
    folder = output / "machine" / "sweeps" / "0123456789"
    write_run(output / "machine" / "aaa")
    write_record(folder / "bundle")
    (folder / "sweep.json").write_text("{}", encoding="utf-8")
    assert list(run_folders(output)) == [output / "machine" / "aaa"]
    assert sweep_folders(output) == [folder]


def test_no_run_folder_makes_no_store(tmp_path: Path) -> None:
    assert str(sync_all(tmp_path, TrackerSettings(), print)) == "no run folders"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "rows.csv").touch()
    with pytest.raises(NotADirectoryError):
        sync_all(tmp_path / "rows.csv", TrackerSettings(), print)


def test_a_server_that_goes_away_is_not_asked_for_each_run(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        write_record(output / f"run{number}")

    def gone(*_: object) -> str:
        raise TrackError("no answer")

    monkeypatch.setattr(resync, "sync_run", gone)
    counts = sync_all(output, TrackerSettings(), print)
    assert (counts.failed, counts.skipped) == (3, 2)
