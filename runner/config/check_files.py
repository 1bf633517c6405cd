"""Refuses mistakes in the settings of data files, before any file is opened."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from data.quoting import quoted_setting, shell_setting
from data.settings import DataSettings
from data.sources.options import format_of, ineffective_options
from runner.config.folders import config_roots

KEYS = ("data.path", "data.train_path", "data.val_path", "data.test_path")


def file_conflicts(data: DataSettings) -> list[str]:
    """Return one line for each pair of settings about files that cannot go together, with the cure."""
    paths = (data.path, data.train_path, data.val_path, data.test_path)
    given = {key: path for key, path in zip(KEYS, paths) if path}
    words = [shell_setting(key, path) for key, path in given.items()]
    if data.source != "files":
        own = ". A YAML of your own needs: defaults: [files, _self_]" if len(config_roots()) > 1 else ""
        return [f"{words[0]}: data={data.name} reads no files. Try: data=files {words[0]}{own}"] if words else []
    if not (data.path or data.train_path or data.queries):
        return ["data=files needs a file. Try: run data=files data.path=reviews.csv data.text=review data.label=stars"]
    if data.path and data.train_path:
        return [
            f"{words[0]} and {words[1]}: both name the training rows. Leave one of them out; a split without a file "
            f"of its own is taken from the training rows. Try: run data=files {' '.join(words[1:])}"
        ]
    kinds = [kind for path in given.values() if (kind := format_of(Path(path)))]
    return ineffective_options(kinds, asdict(data), "data.") if kinds else []


def file_as_dataset(name: str) -> str | None:
    """Return the mistake in `data=<name>` if the name is that of a file, not of a choice in conf/data/; else None."""
    if "/" in name or format_of(Path(name)):
        return f"data={name} is a file, not a dataset. Try: data=files {shell_setting('data.path', name)}"
    return None


def hint_of_one_file(key: str, text: str) -> str:
    """Return a hint where several values, such as a,b.csv, are in fact the name of one file; else ""."""
    try:
        is_there = Path(text).is_file()
    except OSError:  # many values are longer than any name
        return ""
    return f"; for the file of that name: {quoted_setting(key, text)}" if is_there else ""
