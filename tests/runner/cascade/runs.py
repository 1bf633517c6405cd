"""Two finished runs that can be a cascade: a packed bag of words and a small BERT, with their answers to real rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.load import Rows, read_rows
from data.stores.build_once import SharedCache
from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from runner.record.data_settings import data_settings
from runner.record.folder import find_record
from tests.runner.deploy.runs import write_run

SMALL, LARGE, ROWS = "5555", "aaaa", 700
SPLITS = ("val", "test")


def write_pair(output: Path, cache: Path, rows: int = ROWS) -> None:
    """Write both runs; where the small one is not sure the large one is right."""
    packed: dict[str, Any] = {"is_packed": True, "family": "dsn", "readout": {"name": "mean"}, "positions": 512}
    records = {SMALL: write_run(output, SMALL, **packed), LARGE: write_run(output, LARGE)}
    for identity, record in records.items():
        record["config"]["data"]["demo_rows"] = rows
        save(output / identity, record)
    found = read_rows(data_settings(find_record(output, LARGE)), SharedCache(cache))
    logits = {identity: answers(output, identity, found) for identity in records}
    for identity, record in records.items():
        facts = {
            "rows": {name: len(found.raw.splits[name]) for name in ("train", *SPLITS)}, "selection": "val/accuracy",
            "fingerprints": {name: found.raw.splits[name].fingerprint() for name in ("train", *SPLITS)},
        }  # fmt: skip
        record["data"] |= facts
        for split in SPLITS:
            labels = labels_for(logits[SMALL][split], logits[LARGE][split])
            store(output / identity, split, logits[identity][split], labels)
            right = float((logits[identity][split].argmax(1) == labels).mean())
            record["metrics"] |= {f"{split}/accuracy": right}
        record["metrics"] |= {"cost/params": 100.0, "cost/macs": 10.0 if identity == SMALL else 1000.0}
        save(output / identity, record)


def save(folder: Path, record: dict[str, Any]) -> None:
    """Write a record."""
    (folder / "record.json").write_text(json.dumps(record, default=str), encoding="utf-8")


def answers(output: Path, identity: str, rows: Rows) -> dict[str, np.ndarray]:
    """The logarithms of the probabilities (rows, 2) with which a run's model answers, by split."""
    predictor = open_predictor(find_model(identity, output, "auto"))
    found = {}
    for split in SPLITS:
        given = predictor(texts_of(rows, split))
        found[split] = np.log([list(answer["probabilities"].values()) for answer in given])
    return found


def texts_of(rows: Rows, split: str) -> Sequence[str]:
    """The texts of a split."""
    raw = rows.raw.splits[split]
    return list(raw.read(np.arange(len(raw)))["text"])


def labels_for(small: np.ndarray, large: np.ndarray) -> np.ndarray:
    """Labels (rows,): the small model is right on the three tenths of which it is surest, the large one on the rest."""
    confidence = small.max(1)
    is_sure = confidence > np.quantile(confidence, 0.7)
    return np.where(is_sure, small.argmax(1), large.argmax(1))


def store(folder: Path, split: str, logits: np.ndarray, labels: np.ndarray) -> None:
    """Store the answers to a split as a run does."""
    names, answer = pa.array(["negative", "positive"]), logits.argmax(1)
    columns: dict[str, Any] = {
        "row": np.arange(len(labels)), "source_row": np.arange(len(labels)), "label": labels, "prediction": answer,
    }  # fmt: skip
    columns |= {f"logit_{place}": logits[:, place].astype(np.float32) for place in range(2)}
    columns |= {"label_name": names.take(pa.array(labels)), "prediction_name": names.take(pa.array(answer))}
    pq.write_table(pa.table(columns), folder / f"predictions-{split}.parquet")
