from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runner.deploy import parity
from runner.deploy.bundle.predict import Model
from runner.deploy.bundles import add_graph_reader
from runner.deploy.export import export_run
from runner.deploy.exported import ParityError, find_model
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from runner.machine import extras
from runner.record.folder import find_record
from runner.record.record import RunRecord
from tests.conftest import run_cli

SERVED = """
import sys
import mlflow.pyfunc, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
import runner
assert runner.__file__.startswith(sys.argv[1]), "the code lies in the model"
pairs = pandas.DataFrame({"text": ["the dog slept", ""], "hypothesis": ["an animal slept", "it"]}, index=[7, 3])
print(model.predict(pairs).to_json(orient="split"))
"""


@pytest.fixture(scope="module")
def int8(output: Path) -> tuple[str, Path]:
    """Return the output of the command and the folder it wrote: an MLflow model around an int8 graph."""
    done = run_cli("export", "bbb", "format=mlflow", "int8=true", f"paths.output={output}", cwd=output)
    assert done.returncode == 0, done.stderr
    return done.stdout, output / "bbbb" / "export" / "mlflow-int8"


def test_a_run_becomes_an_int8_graph_that_was_checked_on_its_own_data(output: Path, int8: tuple[str, Path]) -> None:
    said, folder = int8
    assert "checked on 40 rows (demo-pairs, test)" in said and "the same answers" in said
    assert f"mlflow models serve -m {folder}" in said
    model = folder / "data" / "model"
    assert sorted(path.name for path in model.iterdir()) == [
        "deploy.json", "model.onnx", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    checked = json.loads((model / "deploy.json").read_text())["checked"]
    assert checked["scored"] == 40 and 0 < checked["difference"] < 1 and checked["agreement"] > 0.8

    trained, exported = (Predictor(find_model(source, output, "auto")) for source in ("bbbb", str(model)))
    rows = ["a dog chased the cat", "she left"], ["an animal moved", "he stayed a while in the house"]
    for mine, other in zip(trained(*rows), exported(*rows)):
        assert mine["probabilities"] == pytest.approx(other["probabilities"], abs=0.05)
        assert sum(other["probabilities"].values()) == pytest.approx(1)


def test_answers_of_an_int8_graph_do_not_depend_on_other_texts(output: Path, int8: tuple[str, Path]) -> None:
    predictor = Predictor(find_model(str(int8[1] / "data" / "model"), output, "auto"))
    rows = ["a dog chased the cat", "she left", "it rained " * 20], ["an animal moved", "he stayed", "nothing"]
    assert predictor.exported.engine == "onnx-int8"
    assert predictor(*rows) == [predictor([text], [pair])[0] for text, pair in zip(*rows)]


def test_a_graph_becomes_a_bundle_that_answers_as_run_predict_does(
    output: Path, int8: tuple[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(int8[1] / "data" / "model", folder := tmp_path / "bundle")
    exported = find_model(str(folder), output, "auto")
    add_graph_reader(folder, exported, find_model("bbbb", output, "torch"))
    rows = ["a dog chased the cat", "she left", ""], ["an animal moved " * 40, "he stayed", "nothing"]
    predictor, model = Predictor(exported), Model(folder)
    for mine, other in zip(model(*rows), predictor(*rows, batch_size=1), strict=True):
        assert mine == other | {"probabilities": pytest.approx(other["probabilities"], abs=1e-6)}
    assert model.lengths(*rows).tolist() == predictor.ask(*rows).lengths.tolist()
    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert {"model.onnx", "model.json", "encoder.py", "predict.py", "tokenizer.json"} <= files.keys()


def test_mlflow_opens_the_export_by_itself_without_pickle(int8: tuple[str, Path], tmp_path: Path) -> None:
    folder = int8[1].rename(tmp_path / "moved elsewhere")
    try:
        assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".bin", ".pt")]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [sys.executable, "-c", SERVED, str(folder)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        answered = json.loads(done.stdout)
        assert answered["columns"] == ["prediction", "p_entailment", "p_neutral", "p_contradiction"]
        assert answered["index"] == [7, 3]
        exported = Predictor(find_model(str(folder / "data" / "model"), tmp_path, "auto"))
        for row, answer in zip(answered["data"], exported(["the dog slept", ""], ["an animal slept", "it"])):
            assert row[0] == answer["prediction"]
            np.testing.assert_allclose(row[1:], list(answer["probabilities"].values()), atol=1e-6)
    finally:
        folder.rename(int8[1])


def test_a_graph_that_computes_something_else_is_not_kept(
    output: Path, int8: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = int8[1] / "data" / "model" / "model.onnx"
    monkeypatch.setattr("runner.deploy.graphs.write_onnx", lambda model, path: shutil.copy2(other, path))
    with pytest.raises(ParityError, match=r"logits differ from .* Nothing was written"):
        export_run(find_record(output, "bbbb"), output / "bbbb", "onnx", False, None)
    assert not (output / "bbbb" / "export" / "onnx").exists()
    assert not list(output.rglob("*.part"))


def test_without_the_runs_data_built_in_texts_are_compared_and_that_is_said(output: Path) -> None:
    content = json.loads((output / "bbbb" / "record.json").read_text(encoding="utf-8"))
    content["config"]["data"] |= {"source": "files", "path": "gone.csv"}
    record = RunRecord.from_json(content | {"identity": "bbbb"})
    rows = parity.rows_to_compare(record, Predictor(find_model("bbbb", output, "torch")))
    assert len(rows.split) == parity.ROWS and rows.task is None and rows.calibration is None and rows.split.has_pairs
    assert rows.source.startswith("built-in texts, since") and "gone.csv" in rows.source


BAD = [
    ("cccc", "onnx", False, None, "run cccc is failed and has no model|run model=bert-tiny"),
    ("aaaa", "torch", False, None, "pickle.*Try: format=safetensors"),
    ("aaaa", "onxx", False, None, "expected one of onnx"),
    ("aaaa", "safetensors", True, None, "Try: format=onnx int8=true"),
    ("aaaa", "safetensors", False, "own", "not an export, so it is not replaced"),
    ("aaaa", "safetensors", False, "own/letter.txt/x", "cannot be created"),
]


@pytest.mark.parametrize(("identity", "form", "as_int8", "out", "expected"), BAD)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    identity: str, form: str, as_int8: bool, out: str | None, expected: str, output: Path, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "letter.txt").write_text("dear all")
    before = sorted(output.rglob("*")), sorted(tmp_path.rglob("*"))
    target = tmp_path / out if out else None
    with pytest.raises(ConfigError, match=expected):
        export_run(find_record(output, identity), output / identity, form, as_int8, target)
    assert (sorted(output.rglob("*")), sorted(tmp_path.rglob("*"))) == before


def test_a_missing_extra_is_named(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.MODULES, "onnx", ("onnx", "not_there_at_all"))
    with pytest.raises(ConfigError, match=r"not_there_at_all is not installed. Try: pip install 'bertier\[onnx\]'"):
        export_run(find_record(output, "aaaa"), output / "aaaa", "onnx", False, None)


def test_a_folder_moves_and_an_export_of_an_earlier_run_is_refused(output: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(output / "aaaa", tmp_path / "aaaa")
    record = find_record(tmp_path, "aaaa")
    deployed, compared = export_run(record, copied, "safetensors", False, None)
    assert compared is None, "these are the run's own weights"
    moved = deployed.folder.rename(tmp_path / "elsewhere")
    texts = ["a fine film", "the dullest of films"]
    assert Predictor(find_model(str(moved), tmp_path, "auto"))(texts) == Predictor(
        find_model("aaaa", tmp_path, "auto")
    )(texts)
    with pytest.raises(ConfigError, match=r"for torch. Try: engine=torch"):
        find_model(str(moved), tmp_path, "onnx")

    (copied / "export").mkdir(exist_ok=True)
    content = json.loads((moved / "deploy.json").read_text()) | {"engine": "onnx", "started": "2020"}
    (moved / "model.onnx").touch()
    (moved / "deploy.json").write_text(json.dumps(content))
    moved.rename(copied / "export" / "onnx")
    with pytest.raises(ConfigError, match="is older than the run"):
        find_model("aaaa", tmp_path, "onnx")
