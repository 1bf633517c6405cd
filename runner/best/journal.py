"""journal.jsonl: how each step of a search ended, in the order of the plan. A recorded step is never repeated.

A line is on disk before the next step starts. After a crash an incomplete last line is removed and its step repeated;
the step's run is finished or has a checkpoint.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from runner.best.types import Done

JOURNAL = "journal.jsonl"


class Journal:
    """The steps that have ended, by number; `finals`: last trainings and refused bundles, by candidate."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        self.ended: dict[int, Done] = {}
        self.finals: dict[str, Done] = {}
        whole = self._read()
        if self.path.exists() and self.path.stat().st_size > whole:
            os.truncate(self.path, whole)

    def _read(self) -> int:
        """Read the lines from disk; return the number of bytes of the complete ones."""
        size = 0
        for line in self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []:
            try:
                done = Done.from_json(json.loads(line))
            except (ValueError, TypeError, AttributeError):
                break
            if not line.endswith(b"\n"):
                break
            self._keep(done)
            size += len(line)
        return size

    def add(self, done: Done) -> None:
        """Write how a step ended."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            stream.write(json.dumps(done.to_json(), ensure_ascii=False).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        self._keep(done)

    def _keep(self, done: Done) -> None:
        if done.candidate is None:
            self.ended[done.step] = done
        else:
            self.finals[done.candidate] = done

    @property
    def elapsed(self) -> float:
        """The seconds of all attempts at this search, up to the last line."""
        return max((done.clock or 0.0 for done in [*self.ended.values(), *self.finals.values()]), default=0.0)
