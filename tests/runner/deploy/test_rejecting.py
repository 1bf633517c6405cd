"""Every way to ask a model answers the same rows, and no other row has a label in its prediction."""

from __future__ import annotations

import base64
import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.commands import export, predict
from runner.commands.promise import promise_of_run
from runner.deploy.budgets import find_model_at
from runner.deploy.exported import find_model
from runner.deploy.graphs import write_exported_model
from runner.deploy.page.shrink import shrunk
from runner.deploy.promise import WantedPromise
from runner.deploy.rejecting import open_answering
from runner.errors import ConfigError
from runner.record.folder import find_record
from tests.runner.deploy.adaptive import write_adaptive_run
from tests.runner.deploy.page.node import NEEDS_NODE
from tests.runner.deploy.promised import answered, texts_of, write_promising_run
from tests.runner.deploy.runs import LABELS

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
    health = client.get("/health").json()
    assert health["answers"][0]["names"] == ["negative", "positive", "unsure"]
    assert health["promise"][0].startswith("at most 5 % wrong among answered texts")


@pytest.fixture(scope="module")
def bundle(output: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("exports") / "bundle"
    assert export.main(["dddd", "format=bundle", "reject=0.05", f"out={place}", f"paths.output={output}"]) == 0
    return place


def test_a_bundle_answers_the_same_rows_without_bertier(bundle: Path, wanted_rows: list[int], tmp_path: Path) -> None:
    asked, written = tmp_path / "in.csv", tmp_path / "out.csv"
    with asked.open("w", newline="") as stream:
        csv.writer(stream).writerows([["text"], *([text] for text in TEXTS)])
    words = [sys.executable, str(bundle / "predict.py"), str(asked), "--out", str(written)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": ""}, check=False)
    assert done.returncode == 0 and done.stderr.startswith("at most 5 % wrong among answered texts"), done.stderr
    with written.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert answered([row["prediction"] for row in rows]) == wanted_rows
    assert list(rows[0]) == ["text", "prediction", "most_probable", "p_negative", "p_positive"]
    files = json.loads((bundle / "manifest.json").read_text())["files"]
    assert {"calibration.json", "rejection.py"} <= files.keys()


def test_an_exported_promise_is_kept_by_whoever_opens_the_export(bundle: Path, wanted_rows: list[int]) -> None:
    exported = find_model(str(bundle), bundle, "auto")
    predictor = open_answering(exported)
    assert answered([one["prediction"] for one in predictor(TEXTS)]) == wanted_rows
    promise = json.loads((bundle / "calibration.json").read_text())["reject"]
    assert promise["alpha"] == 0.05 and promise["models"] == 1 and promise["words"][1].startswith("about ")


def test_an_export_with_other_weights_answers_nothing(bundle: Path, output: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    other = json.loads((damaged / "calibration.json").read_text()) | {"of": ["0" * 64]}
    (damaged / "calibration.json").write_text(json.dumps(other))
    with pytest.raises(
        ConfigError, match=r"does not hold: calibration.json was made for other weights .* run export dddd"
    ):
        open_answering(find_model(str(damaged), damaged, "auto"))


@NEEDS_NODE
def test_a_page_answers_the_same_rows(output: Path, wanted_rows: list[int], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert export.main(["dddd", "format=page", "reject=0.05", f"out={page}", f"paths.output={output}"]) == 0
    html, model = page.read_text(encoding="utf-8"), (output / "dddd" / "model" / "model.bin").read_bytes()
    assert "At most 5 % wrong among answered texts like the 600 calibration rows" in html
    calibration = re.search(r"^const CALIBRATION = (.*);$", html, re.MULTILINE)
    script = re.search(r"<script>(.*?)^function openModel", html, re.DOTALL | re.MULTILINE)
    assert calibration and script
    coded = base64.b64encode(shrunk(model, "model.bin")).decode("ascii")
    asked = json.dumps([coded, TEXTS])
    ask = f"""{script[1]}
    const [coded, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
    Model.open(new Uint8Array(Buffer.from(coded, "base64")), CALIBRATION).then(model =>
      console.log(JSON.stringify(texts.map(text => model.answer(text)))));"""
    (tmp_path / "ask.js").write_text(ask, encoding="utf-8")
    done = subprocess.run(["node", tmp_path / "ask.js"], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert answered([one["label"] for one in found]) == wanted_rows and found[0]["mostProbable"] in LABELS["demo"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["format=mlflow", "reject=0.05"], "reject=0.05: format=mlflow cannot keep this promise. Try: format=bundle"),
        (["int8=true", "reject=0.05"], "not answered in 8 bits. Leave int8= out"),
        (["reject=0.0001", "format=bundle"], "The nearest that can: reject="),
    ],
)
def test_an_export_that_cannot_keep_a_promise_is_refused(
    output: Path, tmp_path: Path, words: list[str], reason: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        export.main(["dddd", *words, f"out={tmp_path / 'export'}", f"paths.output={output}"])
    assert reason in str(refused.value) and not list(tmp_path.iterdir())


def test_a_promise_is_not_kept_at_other_lengths(tmp_path: Path) -> None:
    write_adaptive_run(tmp_path, "eeee")
    promise = {"alpha": 0.05, "delta": 0.05, "threshold": 2.0, "answered": 0, "errors": 0, "rows": 9, "split": "val"}
    trained, folder = find_model("eeee", tmp_path, "torch"), tmp_path / "export"
    write_exported_model(trained, "torch", folder, find_record(tmp_path, "eeee"), promise)
    shorter = find_model_at(str(folder), tmp_path, "auto", 0.5)
    with pytest.raises(ConfigError, match=r"answered at its own lengths.* Leave length= out"):
        open_answering(shorter)
    with pytest.raises(ConfigError, match=r"answered at its own lengths.* Leave max_ms= out"):
        open_answering(find_model(str(folder), tmp_path, "auto"), max_ms=1e6)
    with pytest.raises(ConfigError, match=r"answered at its own lengths.* Leave length= out"):
        open_answering(find_model_at("eeee", tmp_path, "auto", 0.5), 1, promise)
    for same in (find_model_at(str(folder), tmp_path, "auto", 1.0), find_model(str(folder), tmp_path, "auto")):
        assert open_answering(same)(["a fine film"])[0]["prediction"] == "unsure"
    open_answering(find_model_at("eeee", tmp_path, "auto", 0.5))
