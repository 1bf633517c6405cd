"""The end of one run, as its caller sees it. Light: the sweep's launchers read it without loading torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Outcome:
    """How one run ended; `record` is None when it never began."""

    exit_code: int
    record: dict[str, Any] | None = None
    reason: str | None = None  # why there is no record
    was_done: bool = False  # the run had been finished before: nothing was computed
