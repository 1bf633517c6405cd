"""Each setting of a run has one origin: the command line, a sweep, a file of conf/, a dataclass, or the resolution."""

from __future__ import annotations

from pathlib import Path

from runner.compare.origins import setting_origins
from runner.record.sweep_record import find_sweep_of
from tests.runner.compare.folders import typed, write_run, write_sweep


def test_settings_are_traced_to_the_command_line_files_and_dataclasses(tmp_path: Path) -> None:
    (record,) = typed([write_run(tmp_path, "model=bert-tiny", "optimizer.lr=2e-3")])
    found = {origin.key: origin.source for origin in setting_origins(record, tmp_path)}
    assert found["optimizer.lr"] == "optimizer.lr=2e-3 on the command line"
    assert found["model.layers"].startswith("conf/model/") and "by model=bert-tiny" in found["model.layers"]
    assert "data.description" not in found


def test_epochs_by_the_number_of_rows_come_from_the_table(tmp_path: Path) -> None:
    content = write_run(tmp_path, "model=bert-tiny", "data=sst2")
    content["data"]["rows"]["train"] = 100
    content["config"]["train"]["epochs"] = 50.0
    found = {origin.key: origin.source for origin in setting_origins(typed([content])[0], tmp_path)}
    assert found["train.epochs"] == (
        "conf/model/backbone/_encoder.yaml, by model=bert-tiny, by the number of training rows"
    )
    content["config"]["train"]["epochs"] = 3.0
    found = {origin.key: origin.source for origin in setting_origins(typed([content])[0], tmp_path)}
    assert found["train.epochs"].startswith("recorded by other code or files: today it is 50, conf/model/backbone/")


def test_a_value_that_todays_files_no_longer_give_says_so(tmp_path: Path) -> None:
    content = write_run(tmp_path, "model=dsn")
    content["config"]["optimizer"]["betas"] = [0.5, 0.5]
    content["config"]["model"]["gone"] = 1
    found = {origin.key: origin.source for origin in setting_origins(typed([content])[0], tmp_path)}
    assert found["model.gone"] == "recorded by other code: there is no such setting today"
    assert any("recorded by other code or files: today it is" in source for source in found.values())


def test_the_newest_sweep_of_a_run_is_found(tmp_path: Path) -> None:
    record = write_run(tmp_path, "model=dsn")
    write_sweep(tmp_path, [record])
    write_sweep(tmp_path, [record], id="abcdefabcd", name="newer", started="2026-02-02T00:00:00.000Z")
    found = find_sweep_of(tmp_path, str(record["identity"]))
    assert found and found.name == "newer" and find_sweep_of(tmp_path, "nobody") is None
