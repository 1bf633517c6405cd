"""The hidden states (activations) of a frozen encoder, computed once and shared by all heads trained on them.

A folder holds `values`, (tokens, layers, H) for the non-padding tokens of all rows end to end, `offsets` (rows + 1,),
and meta.json with what they depend on and their checksums. The arrays are memory-mapped.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.json_types import JsonObject
from data.stores.build_once import SharedCache, checksum

FORMAT = 1  # raise when the files, or the way states are computed, change
DTYPES: dict[str, type[np.generic]] = {
    "fp32": np.float32,
    "bf16": np.int16,
}  # numpy has no bf16, so its bits are stored
# By part of the key: how messages describe a store that differs in it.
DIFFERENCES = {"encoder": "of another encoder", "texts": "of other texts", "layers": "of other layers",
         "tokens": "of other tokens", "dtype": "in another type", "format": "in another format"}  # fmt: skip

Fill = Callable[[np.ndarray, np.ndarray], None]  # fills values (tokens, layers, H), given the rows' offsets


@dataclass(frozen=True)
class FrozenStates:
    """The hidden states of one split, memory-mapped."""

    values: np.ndarray  # (tokens, layers, H) float32, or bf16 as int16
    offsets: np.ndarray  # (rows + 1,) int64


def states_offsets(lengths: np.ndarray, first: int | None) -> np.ndarray:
    """Return the offsets (rows + 1,) int64 of the tokens kept: all of each row, or only the `first` ones."""
    kept = lengths if first is None else np.minimum(lengths, first)
    return np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])


def states_bytes(lengths: np.ndarray, first: int | None, layers: int, hidden: int, dtype: str) -> int:
    """Return the size in bytes of the states of rows with these lengths in tokens; padding is not stored."""
    return int(states_offsets(lengths, first)[-1]) * layers * hidden * np.dtype(DTYPES[dtype]).itemsize


def states_key(parts: JsonObject) -> str:
    """Return the name of the folder for states that depend on `parts`."""
    return hashlib.sha256(json.dumps(parts | {"format": FORMAT}, sort_keys=True).encode()).hexdigest()[:20]


def refuse_other_states(path: Path, parts: JsonObject) -> None:
    """Raise DataError if a folder holds states that depend on anything but `parts`."""
    found = _meta(path)
    if found is None:
        return
    wrong = [name for name, value in (parts | {"format": FORMAT}).items() if found["parts"].get(name) != value]
    if wrong:
        raise DataError(
            f"cache.path: {path} holds activations {' and '.join(DIFFERENCES[name] for name in wrong)}. "
            "Try: cache.path=null, or another folder"
        )


def open_frozen_states(
    path: Path, parts: JsonObject, lengths: np.ndarray, shape: tuple[int, int], fill: Fill, cache: SharedCache
) -> FrozenStates:  # fmt: skip
    """Open the store in folder `path`, filling it first if it is missing or damaged.

    parts: what the content depends on, including `dtype` and `tokens` ("all", or how many from the start of a row);
    lengths: of the rows; shape: (layers, H). Raises DataError if the folder holds other states or the disk is too full.
    """
    return cache.open_or_build(
        path, lambda found: _open(found, parts), lambda part: _build(part, parts, lengths, shape, fill),
        damaged=f"the activations in {path} are damaged; computing them again",
    )  # fmt: skip


def _build(folder: Path, parts: JsonObject, lengths: np.ndarray, shape: tuple[int, int], fill: Fill) -> None:
    """Write states and offsets into a folder; DataError if the disk is too full."""
    first = None if parts["tokens"] == "all" else parts["tokens"]
    offsets, dtype = states_offsets(lengths, first), np.dtype(DTYPES[parts["dtype"]])
    needed, free = int(offsets[-1]) * shape[0] * shape[1] * dtype.itemsize, shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"the activations need {needed / 1e9:.1f} GB, {folder.parent} has {free / 1e9:.1f} GB left. "
            "Try: paths.cache=<a larger disk>, data.max_rows=<fewer>, or cache.mode=none"
        )
    with (folder / "values").open("wb") as stream:
        if hasattr(os, "posix_fallocate"):  # without it, a disk that fills up later is a crash, not an error
            os.posix_fallocate(stream.fileno(), 0, needed)
        else:
            stream.truncate(needed)
    values = np.memmap(folder / "values", dtype, "r+", shape=(int(offsets[-1]), *shape))
    fill(values, offsets)
    values.flush()
    offsets.tofile(folder / "offsets")
    files = {name: checksum(folder / name) for name in ("values", "offsets")}
    meta = {"parts": parts | {"format": FORMAT}, "shape": shape, "sha256": files}
    with (folder / "meta.json").open("w", encoding="utf-8") as stream:
        json.dump(meta, stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())


def _open(path: Path, parts: JsonObject) -> FrozenStates | None:
    """Open the stored states; None if a file is missing or its checksum is wrong. Raises DataError for other states."""
    refuse_other_states(path, parts)
    meta = _meta(path)
    try:
        if meta is None or any(checksum(path / name) != value for name, value in meta["sha256"].items()):
            return None
        dtype = DTYPES[meta["parts"]["dtype"]]
        values = np.memmap(path / "values", dtype, "r").reshape(-1, *meta["shape"])
        return FrozenStates(values, np.fromfile(path / "offsets", np.int64))
    except (OSError, ValueError, KeyError):
        return None


def _meta(path: Path) -> JsonObject | None:
    """Read a store's meta.json; None if it is missing or damaged."""
    try:
        found = json.loads((path / "meta.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("parts"), dict) else None
