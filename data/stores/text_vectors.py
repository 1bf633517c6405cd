"""The text embeddings of a frozen encoder, computed once and shared by all runs on the same texts.

<cache>/vectors/<key>/ holds vectors.npy, (texts, H) float32, and the checksum of that file. The key does not depend on
how the texts are divided into training and validation rows, so the folds of one data set share an entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from data.json_types import JsonObject
from data.splits import TokenSplit
from data.stores.build_once import SharedCache, checksum

FORMAT = 1  # raise when the files, or the way vectors are computed, change
VECTORS, CHECKSUM = "vectors.npy", "sha256"


def text_keys(split: TokenSplit) -> np.ndarray:
    """Return a hash of each row's tokens (or audio frames) and of where its second text starts, (rows,) uint64."""
    tokens, offsets, starts = np.asarray(split.tokens), split.offsets, split.segment_starts
    tokens = tokens if np.issubdtype(tokens.dtype, np.floating) else tokens.astype(np.uint32)
    digests = [
        hashlib.sha256(tokens[begin:end].tobytes() + int(start).to_bytes(4, "little")).digest()[:8]
        for begin, end, start in zip(offsets[:-1], offsets[1:], starts)
    ]
    return np.frombuffer(b"".join(digests), np.uint64)


def open_text_vectors(cache: SharedCache, parts: JsonObject, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Open the stored vectors, read-only; `compute` makes them first if they are missing or damaged.

    parts: what they depend on: the fingerprints of the encoder and of the texts.
    """
    key = hashlib.sha256(json.dumps(parts | {"format": FORMAT}, sort_keys=True).encode()).hexdigest()[:20]
    path = cache.folder / "vectors" / key

    def build(folder: Path) -> None:
        np.save(folder / VECTORS, compute().astype(np.float32))
        (folder / CHECKSUM).write_text(checksum(folder / VECTORS), encoding="ascii")

    return cache.open_or_build(path, _open, build, damaged=f"the vectors in {path} are damaged; computing them again")


def _open(path: Path) -> np.ndarray | None:
    """Open the vectors; None if a file is missing or its checksum is wrong."""
    try:
        if (path / CHECKSUM).read_text(encoding="ascii") != checksum(path / VECTORS):
            return None
        found: np.ndarray = np.load(path / VECTORS, mmap_mode="r", allow_pickle=False)
        return found
    except (OSError, ValueError):
        return None
