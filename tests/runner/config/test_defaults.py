"""One value for a default: what a YAML in conf/ says, its dataclass says too."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from models.compression.settings import METHODS
from runner.config.compose import compose
from runner.record.identity import flatten
from runner.schema import Command
from tests.conftest import REPO

# The YAML that holds a method's defaults, where it has another name than the method; others are presets.
HOME = {"weight_only": "int8", "dynamic_int8": "int8_dynamic", "static_int8": "int8_static"}
# What belongs to a preset alone: bert-tiny's own weights, and its width written out.
OF_A_PRESET = {"model.intermediate", "model.weights", "model.pretrained", "model.recipe_by_rows"}


def composed(*words: str) -> dict[str, Any]:
    """The values that the YAML files say themselves, flat: neither descriptions nor references to other values."""
    flat = flatten(OmegaConf.to_container(compose(list(words)), resolve=False))
    return {
        key: value
        for key, value in flat.items()
        if not key.endswith("description") and not str(value).startswith(("${", "???"))
    }


def disagreeing(said: dict[str, Any], defaults: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {key: (said[key], defaults[key]) for key in defaults if key in said and said[key] != defaults[key]}


def test_the_defaults_of_a_run_agree() -> None:
    defaults = flatten(asdict(Command()))
    said = {key: value for key, value in composed("model=bert-tiny").items() if not key.startswith("data.")}
    assert disagreeing(said, {key: value for key, value in defaults.items() if key not in OF_A_PRESET}) == {}
    groups = {key.split(".")[0] for key in said}
    assert groups >= {"model", "optimizer", "schedule", "train", "engine", "measure", "tracker", "checkpoint", "cache"}


def test_the_defaults_of_data_agree() -> None:
    said = yaml.safe_load((REPO / "conf" / "data" / "_shared.yaml").read_text(encoding="utf-8"))
    defaults = flatten(asdict(Command()))
    given = {f"data.{key}": value for key, value in flatten(said).items() if key not in ("name", "source")}
    assert disagreeing(given, defaults) == {}
    missing = [key for key in defaults if key.startswith("data.") and key not in given]
    assert missing == ["data.name", "data.source"], "each has its line and its comment"


def test_the_defaults_of_masked_words_agree() -> None:
    said = {key: value for key, value in composed("task=mlm", "model=bert-tiny").items() if key.startswith("task.")}
    said.pop("task.name")
    assert len(said) > 3 and disagreeing(said, flatten(asdict(Command()))) == {}


@pytest.mark.parametrize("method", METHODS)
def test_the_defaults_of_a_compression_method_agree(method: str) -> None:
    name = HOME.get(method, method)
    defaults = {f"compression.{name}.{key}": value for key, value in flatten(asdict(METHODS[method]())).items()}
    said = composed("model=bert-tiny", f"compression=[{name}]")
    assert f"compression.{name}.method" in said and disagreeing(said, defaults) == {}


def test_the_defaults_of_the_soft_form_of_movement_agree() -> None:
    said = composed("model=bert-tiny", "compression=[soft_movement]")
    defaults = asdict(METHODS["movement"]())
    for key in ("threshold", "penalty", "score_lr", "start", "end", "every", "epochs"):
        assert said[f"compression.soft_movement.{key}"] == defaults[key]
