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
from runner.record.sweep_record import RESULT, SweepRecord, SweepRun, sweep_folder, write_sweep
from tests.records import record_json


def write(output: Path, identity: str, **changes: Any) -> Path:
    """Write the record of a finished run into a folder of that name."""
    folder = output / identity
    folder.mkdir(parents=True)
    write_json(folder / "record.json", record_json(identity=identity, **changes))
    return folder


def sweep_of(output: Path, sweep: SweepRecord) -> None:
    """Write a sweep.json."""
    folder = sweep_folder(output, sweep.id)
    folder.mkdir(parents=True)
    write_sweep(folder, sweep)


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


def test_latest_is_the_newest_finished_run(tmp_path: Path) -> None:
    write(tmp_path, "aa11", started="2026-01-02T00:00:00.000Z")
    write(tmp_path, "ab22", started="2026-01-03T00:00:00.000Z", status="failed")
    assert find_record(tmp_path, "latest").identity == "aa11"


def test_a_sweep_stands_for_its_best_run_on_the_rows_that_select(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = record_json()["data"] | {"selection": "val/accuracy"}
    for identity, selected, reported in (("aa11", 0.9, 0.1), ("ab22", 0.8, 0.99), ("ac33", 0.99, 0.2)):
        status = "failed" if identity == "ac33" else "done"
        metrics = {"val/accuracy": selected, "test/accuracy": reported}
        write(tmp_path, identity, data=data, metrics=metrics, status=status)
    runs = [SweepRun(name, ["model=dsn"], "done") for name in ("aa11", "ab22", "ac33", None)]
    sweep_of(tmp_path, SweepRecord("0123456789", "rates", runs=runs))
    for name in ("rates", "0123"):
        assert find_record(tmp_path, name).identity == "aa11"
        assert "sweep rates: aa11, the best of 2 runs on val/accuracy 0.9000" in capsys.readouterr().err


def test_a_search_stands_for_its_winner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = record_json()["data"] | {"selection": "val/accuracy"}
    for identity, selected in (("aa11", 0.9), ("ab22", 0.8)):  # the better one breaks a cap
        write(tmp_path, identity, data=data, metrics={"val/accuracy": selected})
    runs = [SweepRun(name, ["model=dsn"], "done") for name in ("aa11", "ab22")]
    sweep_of(tmp_path, SweepRecord("0123456789", runs=runs))
    write_json(sweep_folder(tmp_path, "0123456789") / RESULT, {"winner": "tiny", "run": "ab22"})
    assert find_record(tmp_path, "0123").identity == "ab22"
    assert "search 0123456789: ab22, its winner" in capsys.readouterr().err
    write_json(sweep_folder(tmp_path, "0123456789") / RESULT, {"winner": None, "run": None})
    assert find_record(tmp_path, "0123").identity == "aa11", "a search that was interrupted before its end"


def test_no_score_selects_a_run_that_was_trained_on_the_rows_that_select(tmp_path: Path) -> None:
    data = record_json()["data"] | {"selection": "val/accuracy"}
    whole = record_json()["config"] | {"data": record_json()["config"]["data"] | {"fold": "all"}}
    write(tmp_path, "aa11", data=data, metrics={"val/accuracy": 0.99}, config=whole)
    write(tmp_path, "ab22", data=data, metrics={"val/accuracy": 0.8})
    sweep_of(tmp_path, SweepRecord("folds", runs=[SweepRun(name, [], "done") for name in ("aa11", "ab22")]))
    assert find_record(tmp_path, "folds").identity == "ab22"


def test_a_sweep_without_a_finished_run_or_of_several_data_names_no_run(tmp_path: Path) -> None:
    write(tmp_path, "aa11", data=record_json()["data"] | {"selection": "val/accuracy"}, metrics={"val/accuracy": 0.9})
    other = record_json()["config"] | {"data": record_json()["config"]["data"] | {"name": "imdb"}}
    data = record_json()["data"] | {"selection": "val/accuracy", "name": "imdb"}
    write(tmp_path, "ab22", config=other, data=data, metrics={"val/accuracy": 0.8})
    for name, identities in (("empty", ["dead"]), ("mixed", ["aa11", "ab22"])):
        runs = [SweepRun(identity, [], "done") for identity in identities]
        sweep_of(tmp_path, SweepRecord(name, name, runs=runs))
    with pytest.raises(ConfigError, match="no finished run yet"):
        find_record(tmp_path, "empty")
    with pytest.raises(ConfigError, match="aa11 on demo, ab22 on imdb"):
        find_record(tmp_path, "mixed")


def test_a_score_on_the_rows_of_one_file_is_not_compared_with_that_on_another_file(tmp_path: Path) -> None:
    own, runs = record_json(), [SweepRun(name, [], "done") for name in ("aa11", "ab22")]
    for identity, file, score in (("aa11", "a.csv", 0.9), ("ab22", "b.csv", 0.8)):
        config = own["config"] | {"data": own["config"]["data"] | {"name": "files", "path": file}}
        data = own["data"] | {"selection": "val/accuracy", "fingerprints": {"val": file}}
        write(tmp_path, identity, config=config, data=data, metrics={"val/accuracy": score})
    sweep_of(tmp_path, SweepRecord("0123456789", "files", runs=runs))
    with pytest.raises(ConfigError, match=r"no best run: its runs differ in data.*aa11 on a.csv, ab22 on b.csv"):
        find_record(tmp_path, "files")


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
    with pytest.raises(ConfigError, match=r"half/record\.json is damaged: it holds no JSON object\. Repair it"):
        find_record(tmp_path, "ha")


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
    (tmp_path / "link").symlink_to(tmp_path / "unmounted")
    with pytest.raises(ConfigError, match="link cannot be written to"):
        check_writable(tmp_path / "link" / "outputs")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a file system of Linux")
def test_a_folder_whose_permissions_promise_too_much_is_refused() -> None:
    with pytest.raises(ConfigError, match="/proc cannot be written to"):
        check_writable(Path("/proc/nope"))


@pytest.mark.parametrize("wanted", [None, "aa11", "latest"])
def test_a_folder_without_runs_is_named_and_one_that_cannot_be_read_says_why(
    wanted: str | None, tmp_path: Path
) -> None:
    for empty in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigError, match=r"no recorded run in .*Make one: run demo"):
            find_record(empty, wanted)
    (tmp_path / "rows.csv").touch()
    for place, error in ((tmp_path / "rows.csv", NotADirectoryError), (tmp_path / ("x" * 300), OSError)):
        with pytest.raises(error):
            find_record(place, wanted)
