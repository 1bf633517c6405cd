"""Records for tests: a made-up finished run, as JSON or typed, and the records of the runs below a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.record.folder import RECORD
from runner.record.json_files import read_json
from runner.record.record import RunRecord

ROWS = {"train": 9, "test": 9}


def record_json(**changes: Any) -> dict[str, Any]:
    """The JSON record of a finished run on the demo data; changes: top-level keys to replace."""
    data = {"name": "demo", "text": "text", "text_pair": None, "max_length": 32, "metrics": ["accuracy"]}
    return {
        "identity": "0123456789", "name": "dsn demo seed=0", "status": "done", "reason": None,
        "started": "2026-01-02T03:04:05.000Z", "ended": "2026-01-02T03:05:05.000Z", "overrides": [], "metrics": {},
        "stages": [], "config": {"seed": 0, "model": {"name": "dsn"}, "data": data, "compression": {}},
        "data": {"primary": "test/accuracy", "rows": ROWS, "name": "demo", "task": "classification"},
    } | changes  # fmt: skip


def a_record(**changes: Any) -> RunRecord:
    """Return the record of `record_json` as a RunRecord."""
    return RunRecord.from_json(record_json(**changes))


def read(folder: Path) -> dict[str, Any] | None:
    """The content of a run folder's record.json; None if it is missing or unreadable."""
    return read_json(folder / RECORD)


def records(output: Path) -> list[dict[str, Any]]:
    """The content of the record.json of every run in an output folder, oldest first."""
    found = [content for path in output.glob(f"*/{RECORD}") if (content := read_json(path))]
    return sorted(found, key=lambda content: str(content.get("started")))
