"""The MLflow store that `run sync` and `run ui` are told to use."""

from __future__ import annotations

from collections.abc import Mapping

from data.quoting import hydra_setting
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.schema import TrackerSettings


def tracker_of(chosen: Mapping[str, str]) -> TrackerSettings:
    """Return the tracker's settings for options by their dotted keys; null: the default."""
    words = [f"{key}=null" if value == "null" else hydra_setting(key, value) for key, value in chosen.items()]
    return resolve(compose(words)).tracker
