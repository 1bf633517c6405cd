"""The groups, their choices, and the config that is composed of them."""

from __future__ import annotations

import pytest

from runner.config.compose import compose, groups, normalize_override
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
    with pytest.raises(ConfigError, match="does not compose"):
        compose(["model=nothing_like_it"])
