"""The run folder: the only truth about a run; MLflow mirrors it.

record.json is rewritten whole under a temporary name and renamed; metrics.jsonl gets one line a logged point.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.record.metrics import check
from runner.record.validation import flaw
from runner.sanitize import mask, masked

SCHEMA_VERSION = 1
POINTS = "metrics.jsonl"
NOT_FINITE = "not-finite.json"  # rows of batches that could not be learned from, see runner/training/nonfinite.py


def now() -> str:
    """The present moment, UTC, to the millisecond: 2026-01-31T12:00:00.000Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file so that a reader sees the old one or the new one, never half."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2, ensure_ascii=False, default=str)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


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


def tidy(folder: Path) -> None:
    """Remove what a process that is gone was in the middle of writing; the caller holds the folder.

    What the tracker's helper writes is not touched: it may outlive its run.
    """
    for path in [path for path in folder.rglob("*") if path.suffix in (".part", ".old")]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif not path.name.startswith("mlflow."):
            path.unlink(missing_ok=True)


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
    return record if record and not flaw(record) else None


def records(output: Path) -> Iterator[dict[str, Any]]:
    """Every readable record below the output folder, oldest first."""
    found = (read_run(path.parent) for path in output.glob("*/record.json"))
    yield from sorted((r for r in found if r), key=lambda r: str(r.get("started")))


def run_folder(text: str) -> Path | None:
    """The run folder that a path names, itself or the model in it, absolute; None where it names none."""
    folder = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111 no error for a user who is not there
    inside = [folder, folder.parent] if folder.name == "model" else [folder]
    return next((run for run in inside if text and (run / "record.json").is_file()), None)


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
        if why := flaw(matching[-1]):
            folder = output / str(matching[-1]["identity"])
            raise ConfigError(f"{folder}/record.json is damaged: {why}. Mend it, or remove {folder} and run it again")
        return matching[-1]
    names = ", ".join(str(r["identity"]) for r in (matching or known)[-8:])
    what = "several runs start" if matching else "no run starts"
    raise ConfigError(f"{what} with {identity!r} in {output}. Runs there: {names}")


def check_writable(output: Path) -> None:
    """Refuse an output folder that cannot be written, before any work; creates nothing."""
    nearest = output.expanduser().absolute()
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(
            f"paths.output={output}: {nearest} cannot be written to. Try: run ... paths.output=<a folder of yours>"
        )
