"""The MLflow store that the options of `run sync` and `run ui` name."""

from __future__ import annotations

from collections.abc import Mapping

from data.quoting import hydra_setting
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.schema import TrackerSettings
from runner.track.uri import address_problem


def tracker_of(chosen: Mapping[str, str]) -> TrackerSettings:
    """Return the tracker's settings for options by their dotted keys; null: the default.

    Raises ConfigError for an address that cannot be read.
    """
    words = [f"{key}=null" if value == "null" else hydra_setting(key, value) for key, value in chosen.items()]
    tracker = resolve(compose(words)).tracker
    if problem := address_problem(tracker.uri):
        raise ConfigError(problem)
    return tracker
