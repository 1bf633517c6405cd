"""Finds out what the setting `unlabelled` names: a file of texts, or a split of a hub dataset of conf/data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from data.settings import DataSettings
from runner.config.compose import compose, groups
from runner.config.resolve import resolve
from runner.errors import ConfigError


def unlabelled_source(key: str, text: str, data: DataSettings) -> DataSettings:
    """Return the settings to read `<data>:<split>` or a file of texts with.

    Raises ConfigError when `text` names neither.
    """
    if Path(text).expanduser().is_file():
        return replace(data, source="files", path=text, train_path=None, val_path=None, test_path=None, split=None)
    name, _, split = text.partition(":")
    found = unlabelled_dataset(text)
    if found is None:
        raise ConfigError(f"{key}={text}: neither a file nor <data>:<split> of the hub. Try: {key}=imdb:unsupervised")
    if found.source != "hub" or (found.text_pair is None) != (data.text_pair is None):
        why = "is not on the hub" if found.source != "hub" else "has a different number of texts per row"
        raise ConfigError(f"{key}={text}: data={name} {why}. Try: {key}=imdb:unsupervised, or a file")
    return replace(found, split=split, max_length=data.max_length, truncate=data.truncate)


def unlabelled_dataset(text: str) -> DataSettings | None:
    """Return the settings of the dataset that `<data>:<split>` names; None for anything else, such as a file."""
    name, _, split = text.partition(":")
    return resolve(compose([f"data={name}"])).data if split and name in groups()["data"] else None
