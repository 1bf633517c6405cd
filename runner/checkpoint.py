"""Checkpoints a run goes on from exactly: tensors as safetensors, everything else as JSON beside them.

The JSON is written last and holds the checksum of the tensors, so half a checkpoint is never taken for a whole one.
No pickle: a checkpoint from elsewhere cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from runner.record import write_json

# Within a run folder: within a training, and between two trainings of one stage.
CHECKPOINTS, BOUNDARIES = "checkpoints", "boundaries"


class Checkpoints:
    """The newest checkpoint of one training of a run, in <run folder>/checkpoints."""

    def __init__(self, folder: Path, identity: str, every_s: float, name: str = CHECKPOINTS) -> None:
        self.folder = folder / name
        self.identity = identity
        self.every_s = every_s
        self._last = time.monotonic()

    def due(self) -> bool:
        """Have `every_s` seconds passed since the last checkpoint?"""
        return time.monotonic() - self._last >= self.every_s

    def save(self, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
        """Write `tensors` and `state` (JSON, with the key `step`); older checkpoints go."""
        from safetensors.torch import save_file

        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"step-{state['step']:08d}.safetensors"
        part = path.with_suffix(".part")
        save_file({name: tensor.detach().clone() for name, tensor in tensors.items()}, part)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
        write_json(path.with_suffix(".json"), {"identity": self.identity, "sha256": _digest(path), "state": state})
        for old in self.folder.iterdir():
            if old.stem != path.stem:
                old.unlink(missing_ok=True)
        self._last = time.monotonic()

    def newest(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """Tensors and state of the newest intact checkpoint of this very training, or None."""
        from safetensors.torch import load_file

        for path in sorted(self.folder.glob("step-*.json"), reverse=True):
            content = _intact(path)
            if content and content["identity"] == self.identity:
                return load_file(path.with_suffix(".safetensors")), content["state"]
        return None


def has_any(folder: Path, identity: str) -> bool:
    """Is there a checkpoint that an interrupted run goes on from?"""
    found = (_intact(path) for path in folder.glob("*/step-*.json"))
    return any(c and c["identity"].split("/")[0] == identity for c in found)


def clear(folder: Path) -> None:
    """Remove all checkpoints of a run: a finished one needs none."""
    for name in (CHECKPOINTS, BOUNDARIES):
        shutil.rmtree(folder / name, ignore_errors=True)


def _intact(path: Path) -> dict[str, Any] | None:
    """The content of a checkpoint's JSON file, or None where it or its tensors cannot be trusted."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        is_whole = content["sha256"] == _digest(path.with_suffix(".safetensors"))
        return content if is_whole and isinstance(content["identity"], str) and "state" in content else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
