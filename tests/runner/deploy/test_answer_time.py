"""The time of an answer is that of the bundle's reader, of an encoder by a graph in as many bits as the caps allow."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from models.errors import ModelError
from runner.deploy import answer_time, reader_files
from runner.deploy.answer_time import delivered, time_block, time_forms, time_reader
from runner.deploy.bundle import predict
from runner.deploy.exported import find_model
from tests.runner.deploy.runs import write_run

TEXTS = [[[f"a lovely film {number}"]] for number in range(40)]
PAIRS = [[["a dog sleeps"], [f"an animal sleeps {number}"]] for number in range(40)]


def test_an_encoder_is_timed_by_its_graph_and_in_8_bits_where_that_is_over_the_cap(output: Path) -> None:
    trained, asked = find_model("aaaa", output, "torch"), list[str]()
    call = predict.Model.__call__

    def recorded(model: predict.Model, *question: Any) -> Any:
        asked.append(model.header["kind"])
        return call(model, *question)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict.Model, "__call__", recorded)
        times = time_forms(trained, TEXTS, most=1.0, seconds=0.01)
    assert list(times) == ["onnx", "onnx-int8"] and set(asked) == {"onnx"}, "by the reader of a bundle"
    assert all(1.0 < micros < 100_000 for micros in times.values())


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The graphs that were written, of 1,000 bytes each; nothing answers."""
    written = list[str]()

    def write(name: str, path: Path) -> None:
        written.append(name)
        path.write_bytes(bytes(1000))

    monkeypatch.setattr(reader_files, "write_onnx", lambda _model, path: write("onnx", path))
    monkeypatch.setattr(reader_files, "quantize_graph", lambda _plain, path, _model: write("onnx-int8", path))
    monkeypatch.setattr(predict, "Model", lambda _folder: None)
    monkeypatch.setattr(answer_time, "time_reader", lambda *_: 50.0 / max(1, len(written)))
    return written


@pytest.mark.parametrize(
    ("most", "most_bytes", "times"),
    [
        (None, None, {"onnx": 50.0}),
        (50.0, 1000.0, {"onnx": 50.0}),
        (49.0, None, {"onnx": 50.0, "onnx-int8": 25.0}),
        (50.0, 999.0, {"onnx-int8": 25.0}),
    ],
)
def test_only_forms_that_may_be_delivered_are_timed(
    most: float | None, most_bytes: float | None, times: dict[str, float], output: Path, graphs: list[str]
) -> None:
    assert time_forms(find_model("aaaa", output, "torch"), TEXTS, most, most_bytes=most_bytes) == times
    assert len(graphs) == 2 if "onnx-int8" in times else 1


def test_a_packed_model_answers_without_a_graph(tmp_path: Path, graphs: list[str]) -> None:
    write_run(tmp_path, "dddd", data="demo-pairs", is_packed=True, family="dsn", readout={"name": "mean"})
    assert list(time_forms(find_model("dddd", tmp_path, "torch"), PAIRS)) == ["numpy"] and not graphs


def test_a_model_without_a_bundle_is_timed_in_torch(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ModelError("it has no graph")

    monkeypatch.setattr(reader_files, "write_onnx", refuse)
    times = time_forms(find_model("aaaa", output, "torch"), TEXTS, 1.0, seconds=0.01)
    assert list(times) == ["torch"] and times["torch"] > 1.0


@pytest.mark.parametrize(
    ("times", "most", "engine"),
    [
        ({"numpy": 5.0}, 1.0, "numpy"),
        ({"onnx": 5.0}, None, "onnx"),
        ({"onnx": 5.0, "onnx-int8": 2.0}, 5.0, "onnx"),
        ({"onnx": 5.0, "onnx-int8": 2.0}, 4.0, "onnx-int8"),
        ({"onnx": 5.0, "onnx-int8": 6.0}, 4.0, "onnx"),
    ],
)
def test_8_bits_are_delivered_only_where_they_are_needed(times: dict[str, float], most: float, engine: str) -> None:
    assert delivered(times, most) == engine


def test_what_an_answer_waits_for_other_processes_does_not_count() -> None:
    def ask(_question: object) -> None:
        time.sleep(0.01)
        sum(range(2000))

    assert 1 < median(time_block(ask, [None])) < 5000


def test_no_question_is_asked_twice_while_there_are_others() -> None:
    asked = list[int]()
    assert time_reader(asked.append, range(320)) > 0 and sorted(asked) == list(range(320))
    asked.clear()
    time_reader(asked.append, range(4))
    assert set(asked) == set(range(4)) and len(asked) >= 3 * answer_time.FEWEST
