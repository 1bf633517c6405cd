"""Run folders of folds: real settings, chosen answers to the rows held out."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.runner.compare.folders import write_run

ROWS, FOLDS = 100, 5
REPORTED = "e" * 64


@cache
def _config(model: str) -> dict[str, Any]:
    return asdict(resolve(compose([f"model={model}", "data=demo", "tracker=none"])))


def write_fold(
    output: Path, model: str, fold: int, right: np.ndarray, repeat: int = 0, seed: int = 0, few: str | None = None
) -> None:
    """Write the run of one fold; right: (ROWS,) bool, which rows the model answers correctly when they are held out.

    few: the fingerprint of the few rows that it reports, untimed, as on the later folds of a search.
    """
    held = np.flatnonzero(np.random.default_rng(repeat).permutation(ROWS) % FOLDS == fold)
    labels = held % 2
    answers = np.where(right[held], labels, 1 - labels)
    data: dict[str, Any] = {
        "name": "demo", "fingerprint": f"{repeat}{fold}" * 32, "task": "classification", "primary": "test/accuracy",
        "selection": "val/accuracy", "rows": {"train": ROWS - len(held), "val": len(held), "test": 50},
        "fingerprints": {"train": f"a{repeat}{fold}", "val": f"b{repeat}{fold}", "test": few or REPORTED},
    }  # fmt: skip
    config = copy.deepcopy(_config(model))
    config["seed"] = seed
    config["data"] |= {"folds": FOLDS, "fold": str(fold), "fold_seed": repeat, "max_eval_rows": 20 if few else None}
    config["measure"]["enabled"] = few is None
    metrics = {"val/accuracy": float(right[held].mean()), "test/accuracy": 0.4 if few else 0.5}
    identity = hashlib.sha256(f"{model} {repeat} {fold} {seed} {few or ''}".strip().encode()).hexdigest()[:10]
    record = write_run(
        output,
        f"model={model}",
        metrics=metrics,
        data=data,
        config=config,
        identity=identity,
        overrides=[f"model={model}"],
    )
    columns = {"row": np.arange(len(held)), "source_row": held + 1, "label": labels, "prediction": answers}
    pq.write_table(pa.table(columns), output / str(record["identity"]) / "predictions-val.parquet")


def right_rows(share: float, seed: int) -> np.ndarray:
    """Which rows a model answers correctly, (ROWS,) bool, at random."""
    return np.random.default_rng(seed).random(ROWS) < share


def write_own_fold(
    output: Path,
    model: str,
    fold: str,
    right: np.ndarray,
    seed: int = 0,
    held: np.ndarray | None = None,
    **changes: Any,
) -> None:
    """Write the run of one fold of a column with the folds a to e, whose rows are the reported split.

    held: these rows, a fifth of all by default.
    """
    held = np.flatnonzero(np.arange(ROWS) % FOLDS == "abcde".index(fold)) if held is None else held
    labels = held // FOLDS % 2
    answers = np.where(right[held], labels, 1 - labels)
    data: dict[str, Any] = {
        "name": "demo", "fingerprint": fold * 64, "task": "classification", "primary": "test/accuracy",
        "selection": "val/accuracy", "rows": {"train": ROWS - len(held) - 10, "val": 10, "test": len(held)},
        "fingerprints": {"train": f"a{fold}", "val": f"b{fold}", "test": f"c{fold}"},
    }  # fmt: skip
    config = copy.deepcopy(_config(model))
    config["seed"] = seed
    config["data"] |= {"fold_column": "part", "fold": fold}
    identity = hashlib.sha256(f"{model} {fold} {seed}".encode()).hexdigest()[:10]
    metrics = {"val/accuracy": 1.0, "test/accuracy": float(right[held].mean())}
    words = f"model={model}"
    record = write_run(
        output,
        words,
        metrics=metrics,
        data=data,
        config=config,
        identity=identity,
        overrides=[words, f"data.fold={fold}"],
        **changes,
    )
    columns = {"row": np.arange(len(held)), "source_row": held + 1, "label": labels, "prediction": answers}
    pq.write_table(pa.table(columns), output / str(record["identity"]) / "predictions-test.parquet")
