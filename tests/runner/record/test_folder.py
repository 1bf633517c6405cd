"""Run folders are found by id, by its beginning and by path; damaged and foreign ones are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import ConfigError
from runner.record.folder import (
    check_writable,
    find_record,
    read_all_records,
    read_record,
    remove_unfinished,
    run_folder,
)  # fmt: skip
from runner.record.json_files import write_json
from tests.records import record_json


def write(output: Path, identity: str, **changes: Any) -> Path:
    """Write the record of a finished run into a folder of that name."""
    folder = output / identity
    folder.mkdir(parents=True)
    write_json(folder / "record.json", record_json(identity=identity, **changes))
    return folder


def test_a_run_is_found_by_the_beginning_of_its_id_and_without_one_the_newest_is(tmp_path: Path) -> None:
    write(tmp_path, "aa11", started="2026-01-03T00:00:00.000Z")
    write(tmp_path, "ab22", started="2026-01-02T00:00:00.000Z")
    assert find_record(tmp_path, "ab").identity == "ab22"
    assert find_record(tmp_path, None).identity == "aa11"
    with pytest.raises(ConfigError, match="several runs start with 'a'"):
        find_record(tmp_path, "a")
    with pytest.raises(ConfigError, match=r"no run starts with 'x'.*aa11"):
        find_record(tmp_path, "x")
    with pytest.raises(ConfigError, match="run demo"):
        find_record(tmp_path / "empty", None)


def test_a_run_is_found_by_its_folder_or_the_model_in_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "outputs", "aa11")
    assert run_folder(str(folder)) == folder == run_folder(str(folder / "model"))
    assert run_folder("") is None and run_folder(str(tmp_path)) is None
    assert find_record(tmp_path / "outputs", str(folder / "model")).identity == "aa11"
    with pytest.raises(ConfigError, match=f"is not in .*paths.output={tmp_path / 'outputs'}"):
        find_record(tmp_path, str(folder))


def test_all_records_come_oldest_first_and_damaged_ones_with_their_problem(tmp_path: Path) -> None:
    write(tmp_path, "new", started="2026-01-03T00:00:00.000Z")
    write(tmp_path, "old", started="2026-01-01T00:00:00.000Z")
    damaged = write(tmp_path, "bad", metrics={"test/accuracy": "high"})
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "record.json").write_text('{"status": "do', encoding="utf-8")
    found, problems = read_all_records(tmp_path)
    assert [record.identity for record in found] == ["old", "new"]
    assert "'high'" in problems["bad"] and "no JSON" in problems["half"] and len(problems) == 2
    assert read_record(damaged) is None and read_record(tmp_path / "half") is None


def test_half_written_files_go_and_those_of_the_tracker_stay(tmp_path: Path) -> None:
    for name in ("record.json.7.part", "mlflow.json.part", "model.old"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "model.part").mkdir()
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.json.part"]


def test_a_folder_below_a_file_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written to"):
        check_writable(tmp_path / "file" / "outputs")
    check_writable(tmp_path / "new" / "outputs")
    assert not (tmp_path / "new").exists()
