"""A finished run that can promise something: a packed bag of words with answers to calibration rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.sources.demo import generate_demo
from runner.deploy.exported import find_model
from runner.deploy.packed_predictor import PackedPredictor
from tests.runner.deploy.runs import LABELS, write_run

ROWS = 600


def texts_of(count: int, seed: int) -> list[str]:
    """Texts of different lengths, of which no two have the same score."""
    rows = generate_demo("sentiment", count, seed=seed)
    return [f"{text} number {place * 7919 % 10007}" for place, (text, _, _) in enumerate(rows)]


def write_promising_run(output: Path, identity: str) -> dict[str, Any]:
    """A run whose mistakes become fewer with its confidence; its record."""
    record = write_run(output, identity, is_packed=True, family="dsn", readout={"name": "mean"}, positions=512)
    model = PackedPredictor(find_model(identity, output, "numpy")).model
    logits = model.scores(texts_of(ROWS, 1))
    add_answers(output / identity, logits, record)
    return record


def add_answers(folder: Path, logits: np.ndarray, record: dict[str, Any], **data: Any) -> None:
    """Store logits (n, C) of calibration rows; of the surest few are wrong."""
    rng, answers = np.random.default_rng(0), logits.argmax(1)
    surest = np.argsort(np.argsort(np.sort(logits, 1)[:, -1] - np.sort(logits, 1)[:, -2])) / len(logits)
    is_wrong = rng.random(len(logits)) < 0.5 * np.exp(-6 * surest)
    labels = np.where(is_wrong, (answers + 1) % logits.shape[1], answers)
    store(folder, logits, labels)
    facts = {"selection": "val/accuracy", "rows": {"train": 90, "val": len(logits), "test": 9},
             "fingerprints": {"train": "a", "val": "b" * 64, "test": "c"}}  # fmt: skip
    record["data"] |= facts | data
    (folder / "record.json").write_text(json.dumps(record, default=str), encoding="utf-8")


def store(folder: Path, logits: np.ndarray, labels: np.ndarray, split: str = "val") -> None:
    """Store the answers to a split as a run does."""
    columns: dict[str, Any] = {"row": np.arange(len(labels)), "label": labels, "prediction": logits.argmax(1)}
    columns |= {f"logit_{place}": logits[:, place].astype(np.float32) for place in range(logits.shape[1])}
    pq.write_table(pa.table(columns), folder / f"predictions-{split}.parquet")


def answered(predictions: Sequence[str]) -> list[int]:
    """The rows that were answered."""
    assert set(predictions) <= {*LABELS["demo"], "unsure"}
    return [row for row, said in enumerate(predictions) if said != "unsure"]
