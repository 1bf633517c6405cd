"""A finished run whose model has lengths to choose from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.runner.deploy.runs import write_run

CHOICES: list[dict[str, Any]] = [
    {"lengths": [0.3, 0.3, 1.0], "share": 0.4, "score": 0.8, "ms": 1.0, "tokens": 20},
    {"lengths": [0.7, 0.8, 1.0], "share": 0.7, "score": 0.9, "ms": 2.0, "tokens": 20},
    {"lengths": [], "share": 1.0, "score": 0.9, "ms": 3.0, "tokens": 20},
]


def write_adaptive_run(output: Path, identity: str) -> None:
    """The run; its model computes all tokens."""
    write_run(output, identity, layers=3)
    path = output / identity / "model" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["compressed"] = [{"method": "length", "mode": "ratio", "lengths": None, "choices": CHOICES}]
    path.write_text(json.dumps(config), encoding="utf-8")
