"""A finished run is timed on reported texts, by the bundle that fits the budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from runner.best import run_time
from runner.best.bundle import write_bundle
from runner.best.run_time import time_bundle, time_run
from runner.best.types import AnswerTime, Budget
from runner.errors import ConfigError
from runner.record.folder import find_record
from tests.runner.deploy.runs import write_run


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_run(folder, "dddd", is_packed=True, family="dsn", readout={"name": "mean"})
    return folder


def test_a_packed_run_is_timed_by_its_reader(output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_time, "BLOCK_S", 0.01)
    found = time_run(find_record(output, "dddd"), output, tmp_path, Budget(max_us=100.0))
    assert found.engine == "numpy" and 1 < found.micros < 50_000


def test_the_form_that_the_budget_takes_is_the_one_that_counts(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[tuple[Any, ...]]()

    def forms(
        _trained: object, questions: list[Any], most: float, *, most_bytes: float, **_: object
    ) -> dict[str, float]:
        asked.append((len(questions), most, most_bytes))
        return {"onnx": 8149.04, "onnx-int8": 3232.06}

    monkeypatch.setattr(run_time, "time_forms", forms)
    record = find_record(output, "dddd")
    found = [time_run(record, output, tmp_path, Budget(max_kb=25.0, max_us=most)) for most in (9000.0, 5000.0, 1000.0)]
    assert found == [AnswerTime(8149.0, "onnx"), AnswerTime(3232.1, "onnx-int8"), AnswerTime(3232.1, "onnx-int8")]
    assert [one[1:] for one in asked] == [(9000.0, 25_000.0), (5000.0, 25_000.0), (1000.0, 25_000.0)]
    assert all(10 < one[0] <= 320 for one in asked)


def test_a_bundle_on_disk_is_timed_as_it_is(output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_time, "BLOCK_S", 0.01)
    record, bundle = find_record(output, "dddd"), tmp_path / "bundle"
    assert write_bundle(record, output, bundle).folder == bundle
    assert 1 < time_bundle(record, bundle, tmp_path) < 50_000
    (bundle / "model.bin").unlink()
    with pytest.raises((OSError, RuntimeError)):
        time_bundle(record, bundle, tmp_path)


def test_texts_that_are_gone_are_a_message(output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DataError("reviews.csv: no such file")

    monkeypatch.setattr(run_time, "read_rows", refuse)
    with pytest.raises(ConfigError, match=r"the texts of run dddd cannot be read: reviews\.csv"):
        time_run(find_record(output, "dddd"), output, tmp_path, Budget(max_us=100.0))
