"""An encoder of a cascade answers by its graph, where one can be written; a real one is in test_within_time.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models.errors import ModelError
from runner.cascade import graph
from runner.cascade.graph import answer_time, fastest_engine
from runner.cascade.pair import open_side
from runner.deploy.exported import export_folder, model_of_run
from runner.errors import ConfigError
from runner.record.record import RunRecord
from tests.runner.cascade.runs import LARGE, SMALL


@pytest.fixture
def output(place: Path, tmp_path: Path) -> Path:
    shutil.copytree(place / "outputs", tmp_path / "outputs")
    return tmp_path / "outputs"


def write_nothing(record: RunRecord, folder: Path, form: str, **_: object) -> None:
    """Write an export whose graph is empty."""
    export_folder(folder, form).mkdir(parents=True)
    exported = model_of_run(record, folder).moved(export_folder(folder, form), form)
    exported.weights.write_bytes(b"")
    (exported.folder / "deploy.json").write_text(json.dumps(exported.describe()), encoding="utf-8")


def refuse(*_: object, **__: object) -> None:
    raise ModelError("it has no graph")


def test_a_graph_is_written_once_and_only_for_what_answers_in_torch(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "export_run", refuse)
    assert fastest_engine(SMALL, output) == fastest_engine(LARGE, output) == "auto"
    monkeypatch.setattr(graph, "export_run", write_nothing)
    assert fastest_engine(SMALL, output) == "auto" and fastest_engine(LARGE, output) == "onnx"
    monkeypatch.setattr(graph, "export_run", refuse)
    assert fastest_engine(LARGE, output) == "onnx", "it is there"


def test_answers_of_a_graph_are_timed_once_and_others_have_the_time_of_their_run(
    output: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[int]()

    def time_reader(_ask: object, questions: list[object], *_: object) -> float:
        asked.append(len(questions))
        return 123.46

    monkeypatch.setattr(graph, "export_run", write_nothing)
    monkeypatch.setattr(graph, "open_predictor", lambda _model: None)
    monkeypatch.setattr(graph, "time_reader", time_reader)
    small = open_side("small", SMALL, output, fastest_engine(SMALL, output))
    small.record.metrics["speed/answer_us_p50"] = 20.0
    assert answer_time(small, "test", place / "cache") == 20.0 and not asked
    large = open_side("large", LARGE, output, fastest_engine(LARGE, output))
    with pytest.raises(ConfigError, match=r"cannot be read|have changed"):
        answer_time(large, "elsewhere", place / "cache")
    assert [answer_time(large, "test", place / "cache") for _ in range(2)] == [123.5, 123.5]
    assert len(asked) == 1 and asked[0] > 20
