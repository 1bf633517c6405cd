"""Lengths of a deployed model by a share of the full cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.deploy.budgets import CONFIG, at_share, find_model_at, share_of
from runner.deploy.exported import find_model
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


def test_its_own_lengths_are_no_others(adaptive: Path) -> None:
    assert find_model_at("dddd", adaptive, "auto", 1.0) == find_model("dddd", adaptive, "auto")


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


@pytest.mark.parametrize("text", ["0", "1.5", "half", "-1", "nan"])
def test_a_share_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"above 0 and at most 1\. Try: length=0\.5"):
        share_of("predict", text)


def test_what_cannot_be_chosen_is_refused_with_the_cure(adaptive: Path, output: Path) -> None:
    with pytest.raises(ConfigError, match=r"length=0\.2: .* Try: length=0\.4$"):
        at_share(find_model("dddd", adaptive, "auto"), 0.2)
    with pytest.raises(ConfigError, match=r"has no lengths to choose from. Try: run compression=\[length\] from=aaaa"):
        at_share(find_model("aaaa", output, "auto"), 0.5)
    with pytest.raises(ConfigError, match=r"Try: run export dddd format=onnx length=0\.5"):
        find_model_at("dddd", adaptive, "onnx", 0.5)
