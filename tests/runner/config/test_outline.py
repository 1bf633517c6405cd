"""The outline of conf/ read as text agrees with what Hydra composes."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.keys import known_keys
from runner.config.outline import Setting, default_choices, settings_of, top_settings


def test_values_and_comments_are_those_of_the_file_and_of_what_it_starts_from() -> None:
    found = settings_of("data", "imdb")
    assert found["data.max_length"] == Setting("512", "128 would keep only the start of most reviews")
    assert found["data.text"] == Setting("text", "column of the text")
    assert "data.defaults" not in found and "data.description" not in found


@pytest.mark.parametrize(
    ("group", "choice", "word"),
    [
        ("model", "bermo", "model=bermo"),
        ("compression", "int8", "compression=[int8]"),
        ("measure", "quick", "measure=quick"),
    ],
)
def test_every_key_is_one_that_hydra_knows(group: str, choice: str, word: str) -> None:
    found = set(settings_of(group, choice))
    assert found and found <= set(known_keys(word)), found - set(known_keys(word))


def test_the_choices_and_keys_of_the_main_file() -> None:
    assert default_choices()["model"] == "dsn" and default_choices()["compression"] == "none"
    assert top_settings()["seed"].value == "0" and top_settings()["cache.mode"].value == "disk"
    assert top_settings()["cache"].value == "" and not any(key.startswith("hydra") for key in top_settings())


def test_a_choice_that_does_not_exist_has_no_settings() -> None:
    assert settings_of("model", "nothing") == {}


def test_a_file_that_includes_itself_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    for name, other in (("one", "two"), ("two", "one")):
        content = f"defaults: [{other}, _self_]\nspeed_{name}: 1\n"
        (tmp_path / "data" / f"{name}.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    assert list(settings_of("data", "one")) == ["data.speed_two", "data.speed_one"]
