"""Labelled sentences in memory as a probing task: written to the cache as files, and read like other files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.probing.rows import SPLITS, TaskRows, read_task

FILES = {"train": "train", "select": "val", "report": "test"}


def sentence_task(
    name: str, group: str | None, splits: Mapping[str, Sequence[tuple[str, str]]], cache: SharedCache
) -> TaskRows:
    """Return the task of these sentences; splits: text and label, by train, select and report."""
    lines = {
        which: [json.dumps({"text": text, "label": label}) for text, label in rows] for which, rows in splits.items()
    }
    texts = {which: "\n".join(found) + "\n" for which, found in lines.items()}
    key = hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:20]

    def build(folder: Path) -> None:
        for which, text in texts.items():
            (folder / f"{FILES[which]}.jsonl").write_text(text, encoding="utf-8")

    def read(folder: Path) -> Path | None:
        there = all(
            (path := folder / f"{FILES[which]}.jsonl").is_file() and path.read_text(encoding="utf-8") == text
            for which, text in texts.items()
        )
        return folder if there else None

    place = cache.folder / "probing" / f"sentences-{key}"
    folder = cache.open_or_build(place, read, build, damaged=f"the sentences in {place.name} are damaged; writing them")
    train, val, test = (str(folder / f"{FILES[which]}.jsonl") for which in SPLITS)
    settings = DataSettings(
        name=name, source="files", task="classification", train_path=train, val_path=val, test_path=test
    )
    return read_task(name, settings, cache, group)
