"""The end of one run, as its caller sees it. Light: the sweep's launchers read it without loading torch."""

from __future__ import annotations

from dataclasses import dataclass

from runner.record.record import RunRecord


@dataclass
class Outcome:
    """How one run ended; `record` is None when it never began."""

    exit_code: int
    record: RunRecord | None = None
    reason: str | None = None  # why there is no record
    was_done: bool = False  # the run was finished before: nothing was computed

    @property
    def is_paused(self) -> bool:
        """Did it end where it was told to pause, to go on later?"""
        record = self.record
        return record is not None and not self.exit_code and record.status == "killed" and not record.pruned
