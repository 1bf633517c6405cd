"""Texts with codes of a small tree: each text names the parent of its code, in one of that parent's own words."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.outcome import Outcome
from runner.experiment.run import run

PARENTS, WORDS_EACH, CLASSES = 12, 12, 3
SETTINGS = [
    "model=dsn", "model.tokenizer=train", "model.vocab_size=400", "model.width=0.25", "model.token_dropout=0",
    "data=files", "data.codes=code", "data.report_splits={}", "train.threads=1", "train.epochs=12",
    "train.batch_size=16", "optimizer.lr=0.02", "view.epochs=20", "view.lr=0.02", "view.batch_size=256",
    "measure=off", "baseline.ngram=off", "tracker=none",
]  # fmt: skip


def write_pairs(folder: Path, rows: int = 300) -> Path:
    """Write train.csv, val.csv and test.csv of texts, codes and labels, and tree.csv; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    syllables = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    words = ["".join(random.choice(syllables, 3)) for _ in range(PARENTS * WORDS_EACH)]
    for name, count in (("train", rows), ("val", 150), ("test", 300)):
        lines = []
        for row in range(count):
            parent, leaf = int(random.integers(PARENTS)), int(random.integers(20))
            own = words[parent * WORDS_EACH + int(random.integers(WORDS_EACH))]
            lines.append(
                (
                    f"{own} {random.choice(['left', 'right', 'other'])} {row % 7}",
                    f"P{parent}.{leaf}",
                    f"c{parent % CLASSES}",
                )
            )
        _write(folder / f"{name}.csv", ("text", "code", "label"), lines)
    nodes = [("ROOT", "")] + [(f"P{parent}", "ROOT") for parent in range(PARENTS)]
    nodes += [(f"P{parent}.{leaf}", f"P{parent}") for parent in range(PARENTS) for leaf in range(20)]
    _write(folder / "tree.csv", ("code", "parent"), nodes)
    return folder


def _write(path: Path, header: tuple[str, ...], lines: list[Any]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(lines)


def command(folder: Path, *words: str, out: Path | None = None) -> list[str]:
    """The words of a run on the pairs in a folder, whose runs and cache lie there, too."""
    files = [f"data.{name}_path={folder / name}.csv" for name in ("train", "val", "test")]
    places = [f"paths.output={(out or folder) / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    return [*SETTINGS, *files, f"data.tree={folder / 'tree.csv'}", "data.labelled_rows=20", *words, *places]


def made(folder: Path, *words: str, out: Path | None = None) -> Outcome:
    """A run on the pairs in a folder."""
    typed = command(folder, *words, out=out)
    return run(resolve(compose(typed), words=typed), typed)
