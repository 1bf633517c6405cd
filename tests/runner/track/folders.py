"""Run folders as the runner writes them, for the tests of this package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STARTED = "2026-01-02T03:04:05+00:00"
ENDED = "2026-01-02T03:05:05+00:00"
CLOCK = 1767323045.0  # seconds since the epoch of STARTED


def write_record(folder: Path, **changes: Any) -> Path:
    """Write a record.json of a finished run, with changes; those of the config are added to it."""
    folder.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {
        "identity": folder.name,
        "status": "done",
        "reason": None,
        "config": {
            "model": {"name": "dsn", "width": 0.125, "pretrained": None},
            "data": {"name": "imdb", "text": "text", "text_pair": None, "max_length": 128, "metrics": []},
            "compression": {},
            "seed": 3,
        },
        "overrides": ["model=dsn", "data=imdb"],
        "metrics": {"test/accuracy": 0.75, "cost/params": 1000},
        "stages": [],
        "environment": {"code_version": "1.0", "git_commit": "c0ffee", "git_dirty": False},
        "started": STARTED,
        "ended": ENDED,
        "schema_version": 1,
        "data": {
            "name": "imdb",
            "fingerprint": "f" * 64,
            "rows": {"train": 90, "test": 10},
            "source": "imdb",
            "task": "classification",
            "primary": "test/accuracy",
        },
        "name": "dsn imdb seed=3",
    }
    changes["config"] = record["config"] | changes.get("config", {})
    (folder / "record.json").write_text(json.dumps(record | changes), encoding="utf-8")
    return folder


def add_points(folder: Path, steps: range, **changes: Any) -> Path:
    """Append one line for each step to metrics.jsonl."""
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as stream:
        for step in steps:
            point = {"step": step, "time": CLOCK + step, "train/loss": 1.0 / step, "train/lr": 0.1}
            stream.write(json.dumps(point | changes) + "\n")
    return folder


def write_run(folder: Path, **changes: Any) -> Path:
    """Write the folder of a finished run of four points, with model, predictions, log, report and a picture."""
    add_points(write_record(folder, **changes), range(1, 5))
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model" / "model.safetensors").write_bytes(b"weights")
    (folder / "predictions-test.parquet").write_bytes(b"rows")
    (folder / "log.txt").write_text("trained\n", encoding="utf-8")
    (folder / "report.html").write_text("<p>report</p>", encoding="utf-8")
    (folder / "plots").mkdir()
    (folder / "plots" / "curves.png").write_bytes(b"png")
    return folder


def state(folder: Path) -> dict[str, Any]:
    """Return mlflow.json."""
    return dict(json.loads((folder / "mlflow.json").read_text(encoding="utf-8")))
