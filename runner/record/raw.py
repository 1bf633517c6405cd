"""Records as dictionaries: the former interface, until every reader takes runner/record/record.py.

record.json is rewritten whole under a temporary name and renamed; metrics.jsonl gets one line a logged point.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.record.folder import NOT_FINITE as NOT_FINITE
from runner.record.folder import POINTS as POINTS
from runner.record.folder import check_writable as check_writable
from runner.record.folder import remove_unfinished as tidy
from runner.record.folder import run_folder as run_folder
from runner.record.json_files import now as now
from runner.record.json_files import write_json as write_json
from runner.record.metrics import check
from runner.record.validation import problem_of_record
from runner.sanitize import mask, masked

SCHEMA_VERSION = 1


@dataclass
class Record:
    """One run's folder while the run is going on."""

    folder: Path
    content: dict[str, Any]
    _stream: Any = field(default=None, repr=False)

    @classmethod
    def begin(cls, folder: Path, content: dict[str, Any], logged: int | None) -> Record:
        """Start writing; the caller holds the folder.

        logged: the bytes of its points that an interrupted run goes on after; None for a run that starts anew.
        """
        tidy(folder)
        before = (read(folder) or {}).get("started") if logged is not None else None
        if logged:
            os.truncate(folder / POINTS, logged)  # what came later is logged again
        else:
            (folder / POINTS).unlink(missing_ok=True)
        if logged is None:
            (folder / NOT_FINITE).unlink(missing_ok=True)
        (folder / "error.txt").unlink(missing_ok=True)
        content = {
            "schema_version": SCHEMA_VERSION,
            "status": "running",
            "reason": None,
            "started": before if isinstance(before, str) else now(),  # a resumed run is the same run to MLflow
            "ended": None,
            "metrics": {},
            "stages": [],
            "steps": 0,  # of all trainings that are finished
        } | masked(content)
        record = cls(folder, content)
        record.write()
        return record

    def write(self) -> None:
        """Bring record.json up to date."""
        write_json(self.folder / "record.json", self.content)

    def point(self, step: int, values: dict[str, float]) -> None:
        """Append one logged point; an unknown metric name raises KeyError."""
        for name in values:
            check(name)
        if self._stream is None:
            self._stream = (self.folder / POINTS).open("a", encoding="utf-8")
        self._stream.write(json.dumps({"step": step, "time": time.time()} | values) + "\n")
        self._stream.flush()

    def mark(self, step: int, values: dict[str, float]) -> None:
        """Append a point that a run which goes on may come to again: where it is there already, it stays alone."""
        point = {"step": step} | values
        path = self.folder / POINTS
        logged = map(json.loads, path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()
        if not any({name: value for name, value in old.items() if name != "time"} == point for old in logged):
            self.point(step, values)

    def add(self, values: dict[str, float]) -> None:
        """Add final metrics; an unknown metric name raises KeyError."""
        for name in values:
            check(name)
        self.content["metrics"] |= values

    def finish(self, status: str, reason: str | None = None) -> None:
        """Close the run as done, failed or killed; this is the last thing it writes."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self.content |= {"status": status, "reason": reason and mask(reason), "ended": now()}
        self.write()


def read(folder: Path, name: str = "record.json") -> dict[str, Any] | None:
    """The record in a run folder, or None where there is none that can be read."""
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def read_run(folder: Path) -> dict[str, Any] | None:
    """The same for a run, whose identity is the name of its folder whatever it says: paths are made of it."""
    record = read(folder)
    return None if record is None else record | {"identity": folder.name}


def whole(folder: Path) -> dict[str, Any] | None:
    """The record of a run, None unless it is one that the runner writes: what reads it may take its word."""
    record = read_run(folder)
    return record if record and not problem_of_record(record) else None


def records(output: Path) -> Iterator[dict[str, Any]]:
    """Every readable record below the output folder, oldest first."""
    found = (read_run(path.parent) for path in output.glob("*/record.json"))
    yield from sorted((r for r in found if r), key=lambda r: str(r.get("started")))


def find(output: Path, identity: str | None) -> dict[str, Any]:
    """The record whose identity starts with `identity`, or the newest one; ConfigError if there is no such.

    identity: may also be a run folder in `output`, or the model in it.
    """
    if identity and (folder := run_folder(identity)):
        if folder.parent != Path(os.path.abspath(output)):  # noqa: PTH100 as run_folder does
            raise ConfigError(f"{identity} is not in {output}. Try: {folder.name} paths.output={folder.parent}")
        identity = folder.name
    known = list(records(output))
    if not known:
        raise ConfigError(f"no recorded run in {output}. Make one: run demo")
    matching = [r for r in known if str(r["identity"]).startswith(identity or "")]
    if len(matching) == 1 or (matching and identity is None):
        if why := problem_of_record(matching[-1]):
            folder = output / str(matching[-1]["identity"])
            raise ConfigError(f"{folder}/record.json is damaged: {why}. Mend it, or remove {folder} and run it again")
        return matching[-1]
    names = ", ".join(str(r["identity"]) for r in (matching or known)[-8:])
    what = "several runs start" if matching else "no run starts"
    raise ConfigError(f"{what} with {identity!r} in {output}. Runs there: {names}")
