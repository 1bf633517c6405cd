"""Metrics that were measured after a run ended, in a file of their own: its record stays as it is.

    add_metrics(folder, record.started, {"pairs/blimp_pll": 0.61})

The mirror to MLflow sends them with the run's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.record.json_files import read_json, write_json
from runner.record.metrics import check

FILE = "later.json"


def read_added(folder: Path, started: str) -> dict[str, float]:
    """Return the metrics measured later for the run that started at that time; {} for none, or those of another
    attempt.
    """
    content = read_json(folder / FILE) or {}
    values = content.get("metrics")
    if content.get("started") != started or not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def add_metrics(folder: Path, started: str, values: Mapping[str, float]) -> None:
    """Add metrics to the existing ones; raise KeyError for an unknown name."""
    for name in values:
        check(name)
    write_json(folder / FILE, {"started": started, "metrics": read_added(folder, started) | dict(values)})
