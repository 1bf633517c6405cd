"""The groups, their choices, and the config that is composed of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from runner.config.compose import _base, compose, composed_by_hydra, groups, normalize_override
from runner.errors import ConfigError


def test_shared_parts_are_no_choices() -> None:
    assert "dsn" in groups()["model"] and "bert-tiny" in groups()["model/backbone"]
    assert not any(choice.startswith("_") for choices in groups().values() for choice in choices)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("model.backbone=bert-mini", "model/backbone=bert-mini"),
        ("model.width=0.5", "model.width=0.5"),
        ("model=dsn", "model=dsn"),
        ("-m", "-m"),
    ],
)
def test_a_nested_group_may_be_written_with_a_dot(word: str, expected: str) -> None:
    assert normalize_override(word) == expected


def test_a_config_has_no_hydra_node_unless_it_is_asked_for() -> None:
    assert "hydra" not in compose(["model=dsn"])
    assert compose(["model=dsn"], hydra=True).hydra.launcher["_target_"].endswith("LocalLauncher")


def test_an_unknown_choice_does_not_compose() -> None:
    with pytest.raises(ConfigError, match="model=nothing_like_it: no such file"):
        compose(["model=nothing_like_it"])


@pytest.mark.parametrize(
    "words",
    [
        ["seed=1", "seed=2", "seed=1"],
        ["model=dsn", "optimizer.lr=1e-3", "data=files", "data.path='a b.csv'", "optimizer.betas=[0.8,0.9]"],
        ["model.layers=1", "model=bert-tiny", "model/readout=scalar_mix", "compression=[magnitude,int8]"],
        ["+new.key=1", "seed=2"],
    ],
)
def test_values_set_onto_shared_choices_give_the_config_that_hydra_composes(words: list[str]) -> None:
    mine, hydras = compose(words), composed_by_hydra(words, hydra=False)
    assert OmegaConf.to_container(mine) == OmegaConf.to_container(hydras)
    assert OmegaConf.is_struct(mine) and OmegaConf.is_struct(hydras)


def test_choices_in_another_order_are_the_same_config_and_composed_once() -> None:
    words = ["model=dsn", "tracker=none", "data=imdb", "seed=3", "model/readout=mean"]
    mine = compose(words)
    made = _base.cache_info().misses
    assert compose(words[::-1]) == mine == composed_by_hydra(words[::-1], hydra=False)
    assert _base.cache_info().misses == made


def test_a_value_that_cannot_be_set_does_not_compose() -> None:
    with pytest.raises(ConfigError, match=r"does not compose: .*Fix that YAML"):
        compose(["model.nothing_like_it=1"])


def test_a_file_is_parsed_once_and_what_is_done_with_a_config_changes_no_other() -> None:
    words = ["model=bert-mini", "compression=[magnitude]"]
    first = composed_by_hydra(words, hydra=False)
    expected = OmegaConf.to_container(first)
    first.model.layers = 99
    first.compression.magnitude.density = 0.99
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", None)
        assert OmegaConf.to_container(composed_by_hydra(words, hydra=False)) == expected


def own_data(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / f"{name}.yaml").write_bytes(content)
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(folder))


def test_a_file_that_starts_from_itself_does_not_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_data(tmp_path, monkeypatch, "circle", b"defaults: [circle, _self_]\nname: circle\n")
    with pytest.raises(ConfigError, match="lead back to that YAML"):
        compose(["data=circle"])


def test_a_file_that_is_not_in_utf8_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_data(tmp_path, monkeypatch, "latin", "description: é".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"data/latin\.yaml: 'utf-8' codec can't decode"):
        compose(["data=latin"])
