"""Settings of the config group `tracker`; standard library only, because every command line composes them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class TrackerSettings:
    """Where runs are mirrored to, and how much of them; the ranges in the metadata are checked by config/check.py."""

    name: str = field(default="mlflow", metadata={"choices": ("mlflow", "none")})
    description: str = ""
    uri: str | None = None  # None = the embedded store, <paths.output>/mlflow.db
    experiment: str = "bertier"
    # all = record, predictions, log and model | record = record.json | none
    artifacts: str = field(default="all", metadata={"choices": ("all", "record", "none")})
    # seconds a finished run waits at most for its mirror
    wait_s: float = field(default=20.0, metadata={"low": 0.0, "high": 3600.0})
