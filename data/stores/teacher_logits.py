"""The logits of a teacher for every row of a split, computed once and shared by all students.

<cache>/teachers/<key>/ holds logits.npy, (items, C) float32 in row order, with one or more items per row, and meta.json
with what they depend on and their checksum. The array is memory-mapped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.json_types import JsonObject
from data.stores.build_once import SharedCache, checksum

FORMAT = 1  # raise when the files, or the way logits are computed, change
LOGITS, META = "logits.npy", "meta.json"


def logits_key(parts: JsonObject) -> str:
    """Return the name of the folder for logits that depend on `parts`."""
    text = json.dumps(parts | {"output": "logits", "dtype": "float32", "format": FORMAT}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def open_teacher_logits(cache: SharedCache, parts: JsonObject, answer: Callable[[], np.ndarray]) -> np.ndarray:
    """Open the stored logits, read-only; `answer` computes them first if they are missing or damaged.

    parts: what they depend on: the fingerprints of the teacher and of the texts.
    """
    path = cache.folder / "teachers" / logits_key(parts)

    def build(folder: Path) -> None:
        np.save(folder / LOGITS, answer().astype(np.float32))
        meta = {"parts": parts, "sha256": checksum(folder / LOGITS)}
        (folder / META).write_text(json.dumps(meta, indent=2), encoding="utf-8")

    return cache.open_or_build(
        path, _open, build, damaged=f"the teacher's logits in {path} are damaged; computing them again"
    )


def _open(path: Path) -> np.ndarray | None:
    """Open the logits; None if a file is missing or its checksum is wrong."""
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
        if checksum(path / LOGITS) != meta["sha256"]:
            return None
        found: np.ndarray = np.load(path / LOGITS, mmap_mode="r", allow_pickle=False)
        return found
    except (OSError, ValueError, KeyError):
        return None
