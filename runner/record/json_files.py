"""JSON files that are written whole or not at all, and checked when they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from data.json_types import JsonObject
from data.part_file import written_whole


def now() -> str:
    """Return the present moment, UTC, to the millisecond: 2026-01-31T12:00:00.000Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_json(path: Path, content: Mapping[str, object] | Sequence[object]) -> None:
    """Write a JSON file so that a reader sees the old one or the new one, never half.

    Values that JSON does not know, such as paths, are written as text.
    """
    with written_whole(path) as part, part.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2, ensure_ascii=False, default=str)
        stream.flush()
        os.fsync(stream.fileno())


def read_json(path: Path) -> JsonObject | None:
    """Return the object in a JSON file; None if there is no such file, or none that holds an object."""
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
