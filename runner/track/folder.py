"""Reads a run folder: the record, the logged points, and what was already mirrored. Independent of MLflow."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from data.json_types import Json, JsonObject
from data.part_file import written_whole
from runner.record.folder import POINTS, RECORD, record_in
from runner.record.record import RecordError, RunRecord
from runner.record.validation import OrNull, mismatch, point
from runner.track.errors import TrackError

STATE = "mlflow.json"
NOT_METRICS = ("step", "time")
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")  # may be a part of a param's name in MLflow


@dataclass
class MirrorState:
    """The content of `mlflow.json`: where the mirror of a run is, and how far it got."""

    run_id: str = ""
    uri: str = ""  # credentials masked
    experiment: str = ""
    started: str = ""  # the start of the mirrored attempt; another start means another MLflow run
    points: int = 0  # lines of metrics.jsonl already sent
    points_crc: int = 0  # checksum of those lines: a resumed run may have rewritten them
    artifacts: bool = False
    status: str = ""
    ended: str = ""
    later: int = 0  # checksum of the metrics that were measured after the run and sent
    pages: int = 0  # checksum of the files that were written after the run and sent
    resumed: bool = False  # went back to a checkpoint: MLflow may have points that the run logs again
    problem: str | None = None  # why the last attempt failed


TEXTS = ("run_id", "uri", "experiment", "started", "status", "ended", "problem")
STATE_KINDS = dict.fromkeys(TEXTS, OrNull(str)) | {
    "points": OrNull(int),
    "points_crc": OrNull(int),
    "artifacts": OrNull(bool),
    "resumed": OrNull(bool),
    "later": OrNull(int),
    "pages": OrNull(int),
}


@dataclass
class Points:
    """The complete lines of metrics.jsonl."""

    lines: list[bytes] = field(default_factory=list)

    def crc(self, count: int) -> int:
        """Return the checksum of the first `count` lines."""
        return zlib.crc32(b"".join(self.lines[:count]))

    def parsed(self, start: int = 0) -> list[JsonObject]:
        """Return the valid points among the lines from `start` on."""
        return [found for line in self.lines[start:] if (found := point(line))]


def record_to_mirror(folder: Path) -> RunRecord:
    """Return the record of a run folder; raise TrackError if there is none or it is damaged."""
    if not (folder / RECORD).exists():
        raise TrackError(f"{folder} is not a run folder: it has no {RECORD}")
    try:
        if record := record_in(folder):
            return record
        problem = "it was removed"
    except RecordError as error:
        problem = str(error)
    raise TrackError(f"{folder / RECORD} is damaged: {problem}. Repair it, or remove {folder} and run it again")


def read_points(folder: Path) -> Points:
    """Return the logged points, without a last line that is still being written (no newline yet)."""
    path = folder / POINTS
    if not path.exists():
        return Points()
    lines = path.read_bytes().splitlines(keepends=True)
    return Points(lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines)


def read_state(folder: Path) -> MirrorState:
    """Return what was mirrored; an empty state if nothing was, or if the file is damaged."""
    try:
        stored = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return MirrorState()
    if mismatch(stored, STATE_KINDS):
        return MirrorState()
    return MirrorState(**{key: stored[key] for key in STATE_KINDS if stored.get(key) is not None})


def write_state(folder: Path, state: MirrorState) -> None:
    """Write `mlflow.json` atomically."""
    path = folder / STATE
    with written_whole(path) as part:
        part.write_text(json.dumps(asdict(state), indent=2) + "\n", encoding="utf-8")


def remove_partial_state(folder: Path) -> None:
    """Remove partial files of a killed process; the caller holds the mirror lock of the folder."""
    for part in folder.glob(f"{STATE}.*.part"):
        part.unlink(missing_ok=True)


def note_problem(folder: Path, reason: str) -> None:
    """Record in mlflow.json why the mirror is not up to date; never raises."""
    try:
        write_state(folder, replace(read_state(folder), problem=reason))
    except OSError:
        return  # the folder is not writable; the caller reports the reason anyway


def flatten_as_text(config: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted name, text) of every value; non-text values are written as JSON: true, null, [1, 2].

    So is a mapping from the user's own words, as those of data.label_names: MLflow accepts few characters in a name.
    """
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and all(PLAIN_KEY.fullmatch(str(inner)) for inner in value):
            yield from flatten_as_text(value, f"{name}.")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value, default=str)


def is_number(value: object) -> bool:
    """Return whether a value is an int or float (not a bool)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Return whether a value is a finite number: MLflow would store inf as 1.8e308."""
    return isinstance(value, int | float) and is_number(value) and math.isfinite(value)


def milliseconds(when: str | None) -> int | None:
    """Return an ISO 8601 time as milliseconds since the epoch, None for anything else; no time zone means UTC."""
    try:
        parsed = datetime.fromisoformat(when or "")
    except ValueError:
        return None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
