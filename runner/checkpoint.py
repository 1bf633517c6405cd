"""Checkpoints a run goes on from exactly: tensors as safetensors, everything else as JSON beside them.

The JSON is written last and holds the checksum of the tensors, so half a checkpoint is never taken for a whole one.
No pickle: a checkpoint from elsewhere cannot run code.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import torch

from runner.record import write_json


class Checkpoints:
    """The newest checkpoint of one run, in <run folder>/checkpoints."""

    def __init__(self, folder: Path, identity: str, every_s: float) -> None:
        self.folder = folder / "checkpoints"
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
        """Tensors and state of the newest intact checkpoint of this very run, or None."""
        from safetensors.torch import load_file

        for path in sorted(self.folder.glob("step-*.json"), reverse=True):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                tensors = path.with_suffix(".safetensors")
                if content["identity"] == self.identity and content["sha256"] == _digest(tensors):
                    return load_file(tensors), content["state"]
            except (OSError, ValueError, KeyError):
                continue
        return None

    def clear(self) -> None:
        """Remove all checkpoints: a finished run needs none."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink(missing_ok=True)
            self.folder.rmdir()


def below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
