"""The `sweep` node of a config: how the runs of a command are run and what they should show; not part of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SweepSettings:
    """The keys `sweep.*`; the upper ones belong to the command line, the lower ones to the files in sweeps/."""

    on_failure: str = field(default="continue", metadata={"choices": ("continue", "stop")})
    jobs: int | None = field(default=None, metadata={"low": 1, "high": 1024})  # null: as many as there are cores
    memory_gb: float | None = field(default=None, metadata={"above": 0.0})  # resident, of each run; null: no limit
    name: str | None = None
    question: str | None = None
    size: int | None = None  # runs
    price: str | None = None  # in words
    baseline: Any = None
    claims: list[Any] = field(default_factory=list)
