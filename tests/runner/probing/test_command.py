"""`run probe` from its words to its files: a run, its repetition, two models, and what the layers say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from runner.commands import probe, show
from runner.errors import ConfigError
from runner.probing.results import FOLDER, read_report, read_right
from runner.record.added_metrics import read_added
from runner.record.folder import find_record

QUICK = ("data=demo", "data.demo_rows=400", "seeds=0", "threads=1")


def paths(place: Path) -> tuple[str, str]:
    return f"paths.output={place / 'outputs'}", f"paths.cache={place / 'cache'}"


def test_a_run_is_probed_once_and_its_record_has_the_numbers(
    place: Path, run_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe.main([run_id, *QUICK, *paths(place)]) == 0
    shown = capsys.readouterr()
    assert "demo-linear of bert-tiny demo" in shown.out and "wrote" in shown.err
    folder = place / "outputs" / run_id / FOLDER
    report = read_report(folder, "demo-linear")
    assert report is not None
    (task,) = report.tasks
    assert [line.name for line in task.lines] == [f"{pool}_{layer}" for pool in ("mean", "cls") for layer in range(3)]
    first_token = next(line for line in task.lines if line.name == "cls_0")
    assert first_token.accuracy == pytest.approx(task.majority, abs=0.02), "the first token's vector is always the same"
    assert all(line.random is not None and line.control is not None and line.bits for line in task.lines)
    right = read_right(folder, report)
    assert right is not None
    assert (folder / "demo-linear.parquet").is_file() and "mean_2" in (folder / "demo-linear.html").read_text("utf-8")
    assert np.mean(right["demo"]["mean_2"]) == pytest.approx(task.lines[2].accuracy)
    later = read_added(place / "outputs" / run_id, find_record(place / "outputs", run_id).started)
    assert later["probe/demo_accuracy"] == task.best.accuracy

    assert probe.main([run_id, *QUICK, *paths(place), "by=layer"]) == 0
    again = capsys.readouterr()
    assert "read " in again.err and "computing" not in again.err
    assert "accuracy by layer" in again.out
    assert show.main([run_id, paths(place)[0]]) == 0
    assert "probes, demo-linear: all tasks" in capsys.readouterr().out


def test_a_damaged_result_is_made_again_and_a_model_against_itself_differs_in_nothing(
    place: Path, run_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        *QUICK,
        *paths(place),
        "mdl=false",
        "control=false",
        "random=false",
        "given=none",
        "layers=0,2",
        "pool=mean",
    ]
    model = str(place / "outputs" / run_id / "model")
    assert probe.main([run_id, *words]) == 0
    path = place / "outputs" / run_id / FOLDER / "demo-linear.json"
    path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert probe.main([run_id, *words]) == 0
    assert "wrote" in capsys.readouterr().err
    assert [line["layer"] for line in json.loads(path.read_text(encoding="utf-8"))["tasks"][0]["lines"]] == [0, 2]
    assert probe.main([run_id, f"given={model}", *[word for word in words if not word.startswith("given")]]) == 0
    lines = json.loads(path.read_text(encoding="utf-8"))["tasks"][0]["lines"]
    assert abs(lines[-1]["information"]) < 0.05, "the last layer adds nothing to itself"


def test_another_tokenizer_beside_the_same_weights_is_another_result(
    place: Path, run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(place / "outputs" / run_id / "model", model)
    words = [str(model), *QUICK, f"paths.output={tmp_path}", paths(place)[1], "mdl=false", "control=false"]
    probe.main(words)
    content = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    content["normalizer"] = {"type": "Sequence", "normalizers": [content["normalizer"], {"type": "Lowercase"}]}
    (model / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    capsys.readouterr()
    probe.main(words)
    assert "wrote " in capsys.readouterr().err


def test_layers_that_no_model_has_are_refused(place: Path, run_id: str) -> None:
    with pytest.raises(ConfigError, match=r"has only layers 0 to 2. Try: layers=2"):
        probe.main([run_id, *QUICK, *paths(place), "layers=9"])
