"""A page whose graph is a formula: its answers in node need no package, and Python has the same formula."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import REPO
from tests.runner.deploy.page.node import NODE

ASK, RUNTIME = (Path(__file__).with_name(name) for name in ("ask_encoder.mjs", "formula.mjs"))
PACKAGES = REPO / "build" / "page"  # `make page-packages` writes it
HAS_PACKAGES = (PACKAGES / "node_modules").is_dir()


class Formula:
    """The graph of formula.mjs, in place of `Graph` of a bundle."""

    def __init__(self, folder: Path) -> None:
        """folder: of the model."""
        self.outputs = np.arange(json.loads((folder / "model.onnx").read_text())["outputs"])

    def run(self, row: list[int], start: int) -> np.ndarray:
        places = np.arange(len(row))
        known = np.array(row) * 7919 + places * 31 + (places >= start) * 13
        return np.asarray((known[:, None] + self.outputs * 57) % 101 / 32, np.float32)


def write_formula(folder: Path, outputs: int) -> None:
    """Write the graph of a page, and its runtime where a browser looks for it."""
    (folder / "model.onnx").write_text(json.dumps({"outputs": outputs}))
    (folder / "lib").mkdir()
    shutil.copy2(RUNTIME, folder / "lib" / "ort.wasm.bundle.min.mjs")


def ask_page(folder: Path, rows: Sequence[Sequence[str]], runtime: Path | None = RUNTIME) -> list[dict[str, Any]]:
    """The answers in node of the page in a folder. runtime: what runs its graph; None: ONNX Runtime of the packages."""
    words = [str(part) for part in (NODE, ASK, folder, PACKAGES, runtime) if part]
    done = subprocess.run(words, input=json.dumps(rows), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def units(text: str, place: int) -> int:
    """The place in UTF-16 units, which JavaScript counts, of a character of a text."""
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2
