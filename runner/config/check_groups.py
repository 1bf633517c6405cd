"""Refuses a user's YAML that leaves a group without a choice or a name, which defaults would silently fill in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.schema import Settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

BASES = {"data": "files", "model": "bert-tiny"}  # groups whose choices have names, and a choice to start from


def require_groups(config: DictConfig, chosen: Sequence[str]) -> None:
    """Raise ConfigError for a group without a choice, or for data or a model without a name.

    chosen: the keys of the config that are settings.
    """
    if group := next((field.name for field in fields(Settings) if field.name not in chosen), None):
        raise ConfigError(
            f"{group}: nothing is chosen, as a YAML says `override /{group}: null`. Choose one of: run list {group}"
        )
    for group, base in BASES.items():
        if "name" not in (config[group] or {}):
            raise ConfigError(
                f"{group}: the chosen YAML sets no name, and starts from none that does. Its first lines must be such "
                f"as: defaults: [{base}, _self_] and name: <a name>"
            )
