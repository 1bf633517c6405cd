"""Lengths of a deployed model by a share of the full cost."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.deploy import export, graphs
from runner.deploy.budgets import CONFIG, at_share, find_model_at, share_of
from runner.deploy.bundle.predict import Model
from runner.deploy.exported import ExportedModel, find_model
from runner.deploy.graphs import write_exported_model
from runner.deploy.predictor import OTHER_LENGTHS, Predictor
from runner.errors import ConfigError
from runner.record.folder import find_record
from tests.runner.deploy.adaptive import write_adaptive_run

TEXTS = ["a fine film with a plot and with wit", "a film without a plot, without wit and without an end"]


@pytest.fixture(scope="module")
def adaptive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_adaptive_run(folder, "dddd")
    return folder


@pytest.mark.parametrize(("share", "lengths"), [(0.4, [0.3, 0.3, 1.0]), (0.99, [0.7, 0.8, 1.0])])
def test_a_model_gets_the_best_lengths_of_a_share(adaptive: Path, share: float, lengths: list[float]) -> None:
    assert find_model_at("dddd", adaptive, "auto", share).lengths["lengths"] == lengths


def test_the_lengths_of_the_model_itself_change_nothing(adaptive: Path) -> None:
    assert find_model_at("dddd", adaptive, "auto", 1.0) == find_model("dddd", adaptive, "auto")


def test_a_model_with_given_lengths_can_keep_all_tokens(adaptive: Path, tmp_path: Path) -> None:
    shutil.copytree(adaptive, tmp_path / "runs")
    config = tmp_path / "runs" / "dddd" / "model" / CONFIG
    content = json.loads(config.read_text(encoding="utf-8"))
    content["compressed"][0] |= {"lengths": [0.3, 0.3, 1.0], "choices": []}
    config.write_text(json.dumps(content), encoding="utf-8")
    given, full = (Predictor(find_model_at("dddd", tmp_path / "runs", "auto", share)) for share in (None, 1.0))
    assert full(TEXTS) != given(TEXTS)
    np.testing.assert_allclose(full.logits(full.ask(TEXTS).split, 1), scores(find_model("dddd", adaptive, "auto")))
    with pytest.raises(ConfigError, match="has no lengths to choose from"):
        find_model_at("dddd", tmp_path / "runs", "auto", 0.5)
    exported = replace(find_model("dddd", tmp_path / "runs", "auto"), engine="onnx")
    with pytest.raises(ConfigError, match="has no lengths to choose from"):
        at_share(exported, 1.0)  # a graph keeps its lengths


def test_another_length_gives_other_answers_that_are_called_scores(adaptive: Path) -> None:
    own, short = (Predictor(find_model_at("dddd", adaptive, "auto", share)) for share in (None, 0.4))
    assert own(TEXTS) != short(TEXTS)
    assert short.calibration.about().endswith(OTHER_LENGTHS)


def test_a_copied_model_keeps_the_lengths_that_were_asked_for(adaptive: Path, tmp_path: Path) -> None:
    trained = find_model_at("dddd", adaptive, "torch", 0.4)
    write_exported_model(trained, "torch", tmp_path / "new", find_record(adaptive, "dddd"))
    config = json.loads((tmp_path / "new" / CONFIG).read_text(encoding="utf-8"))
    assert config["compressed"][0]["lengths"] == [0.3, 0.3, 1.0]
    copied = find_model(str(tmp_path / "new"), adaptive, "auto")
    assert Predictor(copied)(TEXTS) == Predictor(trained)(TEXTS)
    assert json.loads((tmp_path / "new" / "deploy.json").read_text())["length"]["share"] == 0.4


def scores(exported: ExportedModel) -> np.ndarray:
    predictor = Predictor(exported)
    return predictor.logits(predictor.ask(TEXTS).split, 1)


@pytest.fixture(scope="module")
def short(adaptive: Path) -> np.ndarray:
    """The outputs of `run predict length=0.4` for TEXTS."""
    return scores(find_model_at("dddd", adaptive, "auto", 0.4))


@pytest.fixture(scope="module")
def container(adaptive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with format=docker length=0.4."""
    out = tmp_path_factory.mktemp("exports") / "docker"
    export.export_run(find_record(adaptive, "dddd"), adaptive / "dddd", "docker", False, out, length=0.4)
    return out


@pytest.mark.parametrize("form", ["docker", "bundle", "page"])
def test_exports_with_a_reader_of_their_own_answer_at_their_length(
    adaptive: Path, short: np.ndarray, container: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    out = container
    if form != "docker":  # the same graph, which is compared with the model at its lengths
        out = tmp_path / form
        monkeypatch.setattr(graphs, "write_onnx", lambda _, path: shutil.copy2(container / "model.onnx", path))
        export.export_run(find_record(adaptive, "dddd"), adaptive / "dddd", form, False, out, length=0.4)
    np.testing.assert_allclose(scores(find_model(str(out), adaptive, "auto")), short, atol=1e-5)
    if form != "page":
        np.testing.assert_allclose(Model(out).scores(TEXTS), short, atol=1e-5)
    told = (out / ("index.html" if form == "page" else "README.md")).read_text(encoding="utf-8")
    assert "its layers keep 0.3, 0.3, 1 of the tokens, which takes 40% of the multiply-adds" in told


def test_mlflow_models_and_folders_for_the_hub_answer_at_their_length(
    adaptive: Path, short: np.ndarray, tmp_path: Path
) -> None:
    record, folder = find_record(adaptive, "dddd"), adaptive / "dddd"
    export.export_run(record, folder, "mlflow", False, tmp_path / "mlflow", length=0.4)
    export.write_hub_folder(record, folder, tmp_path / "hub", length=0.4)
    for place in (tmp_path / "mlflow" / "data" / "model", tmp_path / "hub"):
        np.testing.assert_allclose(scores(find_model(str(place), adaptive, "auto")), short, atol=1e-6)
    assert "which takes 40% of the" in (tmp_path / "hub" / "README.md").read_text(encoding="utf-8")


def test_an_export_at_full_length_says_nothing_of_lengths(adaptive: Path, tmp_path: Path) -> None:
    export.write_hub_folder(find_record(adaptive, "dddd"), adaptive / "dddd", tmp_path / "hub", length=1.0)
    assert "Its lengths are not" not in (tmp_path / "hub" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["0", "1.5", "half", "-1", "nan"])
def test_a_share_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"above 0 and at most 1\. Try: length=0\.5"):
        share_of("predict", text)


def test_what_cannot_be_chosen_is_refused_with_the_cure(adaptive: Path, output: Path) -> None:
    with pytest.raises(ConfigError, match=r"length=0\.2: .* Try: length=0\.4$"):
        at_share(find_model("dddd", adaptive, "auto"), 0.2)
    with pytest.raises(
        ConfigError, match=r"has no lengths to choose from. Try: run 'compression=\[length\]' from=aaaa"
    ):
        at_share(find_model("aaaa", output, "auto"), 0.5)
    with pytest.raises(ConfigError, match=r"Try: run export dddd format=onnx length=0\.5"):
        find_model_at("dddd", adaptive, "onnx", 0.5)
