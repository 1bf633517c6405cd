"""A teacher's answers: its logits for every row of a split, computed once and shared by every student.

<cache>/teachers/<key>/ holds logits.npy, (rows, C) float32 in row order, and meta.json with what they were made of and
their checksum; readers map it into memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data.stores.build_once import SharedCache, checksum

FORMAT = 1  # raise when the files or the way answers are computed change
LOGITS, META = "logits.npy", "meta.json"


def logits_key(parts: dict[str, Any]) -> str:
    """The name of the folder for answers that depend on `parts`."""
    text = json.dumps(parts | {"output": "logits", "dtype": "float32", "format": FORMAT}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def open_teacher_logits(cache: SharedCache, parts: dict[str, Any], answer: Callable[[], np.ndarray]) -> np.ndarray:
    """The kept logits, read-only; `answer` is asked for them only where they are missing or damaged.

    parts: what they depend on, the teacher's and the texts' fingerprints.
    """
    path = cache.folder / "teachers" / logits_key(parts)

    def build(folder: Path) -> None:
        np.save(folder / LOGITS, answer().astype(np.float32))
        meta = {"parts": parts, "sha256": checksum(folder / LOGITS)}
        (folder / META).write_text(json.dumps(meta, indent=2), encoding="utf-8")

    return cache.open_or_build(
        path, _open, build, damaged=f"the teacher's answers in {path} are damaged; asking it again"
    )


def _open(path: Path) -> np.ndarray | None:
    """The logits, or None when a file is missing or its checksum is wrong."""
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
        if checksum(path / LOGITS) != meta["sha256"]:
            return None
        found: np.ndarray = np.load(path / LOGITS, mmap_mode="r", allow_pickle=False)
        return found
    except (OSError, ValueError, KeyError):
        return None
