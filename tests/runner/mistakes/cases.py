"""A finished run on a CSV with quotes and line breaks, its answers chosen, made in a moment."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from data.load import read_rows
from data.stores.build_once import SharedCache
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.mistakes.answered import Answered, read_answered
from runner.record.folder import read_record
from runner.record.predictions import write_predictions

NAMES = ("billing", "delivery", "login")
WORDS = {
    "billing": ("invoice", "refund", "charged", "card", "price"),
    "delivery": ("parcel", "late", "courier", "address", "box"),
    "login": ("password", "reset", "account", "email", "locked"),
}


def write_tickets(path: Path, rows: int = 240) -> None:
    """Write tickets of three classes; every third text has a line break and a quote, and one text is there twice."""
    draw = np.random.default_rng(0)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["message", "topic"])
        for number in range(rows):
            topic = NAMES[number % 3]
            words = " ".join(draw.choice(WORDS[topic], 4 + number % 5))
            between = '\n"please" ' if number % 3 == 0 else " "
            writer.writerow([f"ticket {number % (rows - 1)}{between}{words}", topic])


class Split:
    """The few facts of a split that stored answers have."""

    def __init__(self, name: str, source_rows: np.ndarray) -> None:
        self.name, self.source_rows = name, source_rows

    def __len__(self) -> int:
        return len(self.source_rows)

    @property
    def source_count(self) -> int:
        return len(self)


def write_case(folder: Path, *more: str, wrong: int = 12, seed: int = 0, name: str = "0123456789") -> Answered:
    """Write a run on tickets.csv in `folder`, with `wrong` rows of test answered with the next class.

    more: further settings of the run.
    """
    path = folder / "tickets.csv"
    if not path.exists():
        write_tickets(path)
    words = ["model=dsn", "data=files", f"data.path={path}", "data.text=message", "data.label=topic", "tracker=none",
             "data.test_fraction=0.5", f"seed={seed}", *more]  # fmt: skip
    settings = resolve(compose(words))
    rows = read_rows(settings.data, SharedCache(folder / "cache"))
    raw = rows.raw.splits["test"]
    labels = np.asarray(raw.labels.values)
    given = labels.copy()
    given[seed : seed + wrong] = (given[seed : seed + wrong] + 1) % 3
    logits = np.zeros((len(labels), 3), np.float32)
    logits[np.arange(len(labels)), given] = 1.0 + np.arange(len(labels)) / len(labels)
    run = folder / "out" / name
    run.mkdir(parents=True)
    columns = {"label": labels, "prediction": given} | {f"logit_{k}": logits[:, k] for k in range(3)}
    split: Any = Split("test", raw.source_rows)
    write_predictions(run, split, columns, NAMES)
    record = {
        "identity": name, "name": "dsn files", "status": "done", "started": "2026-01-02T03:04:05.000Z",
        "config": asdict(settings), "overrides": words, "metrics": {"test/accuracy": 0.9}, "stages": [],
        "data": {"name": "files", "task": "classification", "primary": "test/accuracy", "selection": "val/accuracy",
                 "rows": {"train": 10, "test": len(labels)}, "labels": list(NAMES), "fingerprints": rows.fingerprints},
    }  # fmt: skip
    (run / "record.json").write_text(json.dumps(record), encoding="utf-8")
    found = read_record(run)
    assert found is not None
    return read_answered(found, run)
