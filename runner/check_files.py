"""Mistakes with the files that data are read from, found before any of them is opened."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from data.columns import paste
from data.options import idle, kind_of

if TYPE_CHECKING:
    from data.settings import DataSettings

KEYS = ("path", "train_path", "val_path", "test_path")


def conflicts(data: DataSettings) -> list[str]:
    """One line for each pair of settings about files that cannot go together, with the cure."""
    given = {f"data.{key}": path for key in KEYS if (path := getattr(data, key))}
    words = [paste(key, path) for key, path in given.items()]
    if data.source != "files":
        return [f"{words[0]}: data={data.name} reads no files. Try: run data=files {words[0]}"] if words else []
    if not (data.path or data.train_path):
        return ["data=files needs a file. Try: run data=files data.path=reviews.csv data.text=review data.label=stars"]
    if data.path and data.train_path:
        return [
            f"{words[0]} and {words[1]}: both name the training rows. Leave one of them out; what has no file of its "
            f"own is cut off either. Try: run data=files {' '.join(words[1:])}"
        ]
    kinds = [kind for path in given.values() if (kind := kind_of(Path(path)))]
    return idle(kinds, asdict(data), "data.") if kinds else []


def is_file(name: str) -> bool:
    """Is this the name of a file rather than of a choice in conf/?"""
    return "/" in name or kind_of(Path(name)) is not None


def in_shell(word: str) -> str:
    """An override whose value has special characters, in quotes for Hydra and for the shell."""
    key, _, value = word.partition("=")
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return shlex.quote(f'{key}="{text}"')
