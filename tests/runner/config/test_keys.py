"""Which keys a choice has, and which one a typo stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.keys import closest, did_you_mean, is_part, known_keys, owner_of


def test_a_typo_finds_the_closest_names() -> None:
    assert closest("optimizer.lrr", ["optimizer.lr", "seed"]) == ["optimizer.lr"]
    assert closest("zzz", ["seed"]) == []
    assert closest("dns", ["static", "dsn-32", "dsn"])[0] == "dsn", "two letters in each other's place"


def test_a_setting_under_the_wrong_group_finds_its_own() -> None:
    known = [*known_keys("model=dsn")]
    assert closest("train.lr", known)[0] == "optimizer.lr", "not train.loss, which is spelled alike"
    assert closest("train.seed", known)[0] == "seed"
    assert closest("model.epochs", known)[0] == closest("epochs", known)[0] == "train.epochs"
    assert closest("optimzer.lr", known)[0] == "optimizer.lr", "a typo in the group comes before another group"


def test_a_suggestion_is_empty_where_nothing_is_close() -> None:
    assert did_you_mean(["a", "b"]) == "; did you mean a or b?" and did_you_mean([]) == ""


def test_a_choice_brings_its_own_keys() -> None:
    assert "model.width" in known_keys("model=dsn") and "model.width" not in known_keys("model=bert-tiny")
    assert owner_of("model.width", "model") == "model=dsn"
    assert owner_of("model.nothing", "model") is None


def test_a_nested_group_is_part_of_its_owner() -> None:
    assert is_part("model/readout", "model") and is_part("model", "model") and not is_part("models", "model")


def test_a_file_that_does_not_compose_is_no_owner_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "circle.yaml").write_text("defaults: [circle]\nspeed: 1\n", encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    assert owner_of("data.speed", "data") is None
