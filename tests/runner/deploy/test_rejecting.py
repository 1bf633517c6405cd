"""Every way to ask a model answers the same rows, and no other row has a label in its prediction."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from runner.commands import predict
from runner.commands.promise import promise_of_run
from runner.deploy.exported import find_model
from runner.deploy.promise import WantedPromise
from runner.deploy.rejecting import open_answering
from runner.record.folder import find_record
from tests.runner.deploy.promised import answered, texts_of, write_promising_run

TEXTS = texts_of(100, 2)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_promising_run(folder, "dddd")
    return folder


@pytest.fixture(scope="module")
def wanted_rows(output: Path) -> list[int]:
    """The rows of TEXTS that are answered with at most 5 % errors."""
    promise = promise_of_run(find_record(output, "dddd"), output, WantedPromise(0.05))
    found = open_answering(find_model("dddd", output, "auto"), 1, promise)(TEXTS)
    return answered([one["prediction"] for one in found])


def test_some_rows_are_answered_and_some_are_not(wanted_rows: list[int]) -> None:
    assert 10 < len(wanted_rows) < 95


def test_torch_answers_the_same_rows(output: Path, wanted_rows: list[int]) -> None:
    promise = promise_of_run(find_record(output, "dddd"), output, WantedPromise(0.05))
    predictor = open_answering(find_model("dddd", output, "torch"), 1, promise)
    found = predictor.answers(predictor.ask(TEXTS), 32)
    near = {
        row for row, one in enumerate(found) if abs(max(one["probabilities"].values()) - promise["threshold"]) < 1e-6
    }
    assert set(answered([one["prediction"] for one in found])) ^ set(wanted_rows) <= near and len(near) < 3
    fields = predictor.answer_fields
    assert [field.name for field in fields] == ["prediction", "most_probable", "probabilities"]
    assert fields[0].names == ("negative", "positive", "unsure") and fields[1].names == ("negative", "positive")


def test_predict_writes_unsure_and_the_label_beside_it(
    output: Path, wanted_rows: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, written = tmp_path / "in.csv", tmp_path / "out.csv"
    with asked.open("w", newline="") as stream:
        csv.writer(stream).writerows([["text", "label"], *([text, "?"] for text in TEXTS)])
    assert predict.main(["dddd", str(asked), f"out={written}", "reject=0.05", f"paths.output={output}"]) == 0
    with written.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert answered([row["prediction"] for row in rows]) == wanted_rows
    assert {row["most_probable"] for row in rows} <= {"negative", "positive"} and rows[0]["label"] == "?"
    said = capsys.readouterr().err
    assert "at most 5 % wrong among answered texts like the 600 calibration rows" in said
    assert "% of texts are answered (" in said and f"100 rows, {len(wanted_rows)} of them answered" in said


def test_predict_says_unsure_of_one_text(
    output: Path, wanted_rows: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    unsure = next(row for row in range(100) if row not in wanted_rows)
    assert predict.main(["dddd", TEXTS[unsure], "reject=0.05", f"paths.output={output}"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "unsure" and second in ("the most probable label: negative", "the most probable label: positive")


def test_the_server_answers_the_same_rows(output: Path, wanted_rows: list[int]) -> None:
    pytest.importorskip("fastapi")
    from starlette.testclient import TestClient

    from runner.deploy.service import load_app

    promise = promise_of_run(find_record(output, "dddd"), output, WantedPromise(0.05))
    app = load_app(find_model("dddd", output, "auto"), 1, batch_size=32, hosts=["*"], promise=promise)
    client = TestClient(app)
    answers = json.loads(client.post("/predict", content=json.dumps({"texts": TEXTS})).text)["answers"]
    assert answered([one["prediction"] for one in answers]) == wanted_rows and "most_probable" in answers[0]
    assert client.get("/health").json()["answers"][0]["names"] == ["negative", "positive", "unsure"]
