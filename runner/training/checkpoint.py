"""Checkpoints for exact resumption: tensors as safetensors, everything else in a JSON file next to them.

The JSON is written last and holds a checksum over both, so an incomplete checkpoint is never used. The second newest
checkpoint is kept too, in case the newest is damaged. No pickle: a checkpoint cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch

from data.json_types import JsonObject
from runner.errors import ConfigError
from runner.machine.matmul import matmul_in_use
from runner.record.folder import POINTS, RECORD
from runner.record.json_files import read_json, write_json

# Folders within a run folder: checkpoints within a training, and between two trainings of one stage.
CHECKPOINTS, BOUNDARIES = "checkpoints", "boundaries"
KEPT = 2
EPOCH_S = 1.0  # for shorter epochs a checkpoint is not worthwhile: training again is quicker


class Checkpoints:
    """The newest checkpoints of one training of a run, in a subfolder of the run folder."""

    def __init__(self, folder: Path, identity: str, every_s: float, name: str = CHECKPOINTS) -> None:
        """folder: the run folder; name: of the subfolder, which may lie deeper in it than one level."""
        self.run_folder, self.folder = folder, folder / name
        self.identity = identity
        self.every_s = every_s
        self._had_folder = folder.is_dir()
        self._last = time.monotonic()

    def due(self, at_epoch_end: bool = False) -> bool:
        """Have `every_s` seconds passed since the last checkpoint? At the end of an epoch one second is enough."""
        return time.monotonic() - self._last >= (min(self.every_s, EPOCH_S) if at_epoch_end else self.every_s)

    def save(self, tensors: dict[str, torch.Tensor], state: JsonObject) -> None:
        """Write `tensors` and `state` (JSON, with the key `step`); of older checkpoints only the latest is kept.

        Raises ConfigError if somebody has removed the run folder: without its points, no run could go on from here.
        """
        from safetensors.torch import save_file

        if self._had_folder and not self.run_folder.is_dir():
            raise ConfigError(
                f"{self.run_folder} was removed during the run. Try: the same command, which starts it again"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step-{state['step']:08d}.safetensors"
        part = path.with_suffix(".part")
        save_file({name: tensor.detach().clone() for name, tensor in tensors.items()}, part)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
        content = {
            "identity": self.identity,
            "logged": logged_points(self.run_folder),
            "engine": matmul_in_use(),
            "state": state,
        }
        write_json(path.with_suffix(".json"), content | {"sha256": _digest(path, content)})
        kept = sorted(name.stem for name in self.folder.glob("step-*.json") if name.stem <= path.stem)[-KEPT:]
        for old in self.folder.iterdir():
            if old.stem not in kept or old.suffix == ".part":
                old.unlink(missing_ok=True)
        self._last = time.monotonic()

    def newest(self) -> tuple[dict[str, torch.Tensor], JsonObject] | None:
        """Return tensors and state of the newest intact checkpoint of this training, or None."""
        from safetensors.torch import load_file

        for path in sorted(self.folder.glob("step-*.json"), reverse=True):
            content = _intact(path)
            if content and content["identity"] == self.identity:
                return load_file(path.with_suffix(".safetensors")), content["state"]
        return None


def logged_points(folder: Path) -> list[int]:
    """Sync a run's logged points to disk, and return their size in bytes and their checksum."""
    try:
        with (folder / POINTS).open("rb") as stream:
            os.fsync(stream.fileno())
            content = stream.read()
    except FileNotFoundError:
        content = b""
    return [len(content), zlib.crc32(content)]


@dataclass(frozen=True)
class ResumePoint:
    """Where an interrupted run continues, from its newest intact checkpoint."""

    logged: int  # bytes of its logged points to keep
    engine: JsonObject  # backend and threads, see runner/machine/matmul.py; {} in checkpoints of old versions


def find_resume_point(folder: Path, identity: str) -> ResumePoint | None:
    """Return where an interrupted run continues; None without record or intact checkpoint, or with damaged points."""
    found = [(_intact(path), path.stem) for path in folder.glob("*/step-*.json")]
    kept = [(c["logged"], step, c) for c, step in found if c and c["identity"].split("/")[0] == identity]
    if read_json(folder / RECORD) is None or not kept:
        return None
    newest = max(kept, key=lambda one: one[:2])[2]
    size, crc = newest["logged"]
    points = folder / POINTS
    content = points.read_bytes()[:size] if points.is_file() else b""
    return ResumePoint(int(size), newest.get("engine", {})) if zlib.crc32(content) == crc else None


def clear_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run; a finished run needs none."""
    for name in (CHECKPOINTS, BOUNDARIES):
        shutil.rmtree(folder / name, ignore_errors=True)


def _intact(path: Path) -> JsonObject | None:
    """Return the content of a checkpoint's JSON file, or None if it or its tensors are missing or damaged."""
    try:
        content: JsonObject = json.loads(path.read_text(encoding="utf-8"))
        return content if content.pop("sha256") == _digest(path.with_suffix(".safetensors"), content) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def with_prefix(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names start with `prefix`, keyed by the rest of the name."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _digest(path: Path, content: JsonObject) -> str:
    """Return the sha256 of the tensor file and the JSON content together."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    digest.update(json.dumps(json.loads(json.dumps(content)), sort_keys=True).encode())
    return digest.hexdigest()
