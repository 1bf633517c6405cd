"""Asks the JavaScript of a page in node, and compares its answers with those of Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.deploy.bundle.predict import Model
from runner.deploy.page.make import reader_code
from runner.deploy.page.shrink import shrunk

ASK = Path(__file__).with_name("ask.js")
NODE = shutil.which("node")
NEEDS_NODE = pytest.mark.skipif(NODE is None, reason="node is not installed")

Rows = Sequence[Sequence[str]]  # of one text or two


def ask_node(folder: Path, models: Sequence[tuple[bytes, Rows]], **reader: Any) -> list[Any]:
    """For each model the answers to its rows, or {"error": message}; reader: the header by which code is chosen."""
    jobs = []
    (folder / "reader.js").write_text(reader_code({"kind": "ngram"} | reader), encoding="utf-8")
    for place, (content, rows) in enumerate(models):
        (folder / f"{place}.bin").write_bytes(content)
        jobs.append([str(folder / "reader.js"), str(folder / f"{place}.bin"), rows])
    done = subprocess.run([str(NODE), ASK], input=json.dumps(jobs), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def check_answers(
    folder: Path, models: Sequence[tuple[bytes, Rows]], tolerance: float, **reader: Any
) -> list[list[dict[str, Any]]]:
    """The answers in node of models as pages have them, compared with those of Python: labels and probabilities."""
    found = ask_node(folder, [(shrunk(content, "model.bin"), rows) for content, rows in models], **reader)
    for place, (content, rows) in enumerate(models):
        (folder / "model.bin").write_bytes(content)
        model, answers = Model(folder), found[place]
        assert "error" not in answers, f"model {place}: {answers}"
        wanted = model(*(list(column) for column in zip(*rows)))
        values = [one.get("shares") or [one["value"]] for one in answers]
        shares = [list(one.get("probabilities", {"": one["prediction"]}).values()) for one in wanted]
        rounding = float(np.finfo(np.float32).eps)  # of numbers, which may be large
        assert np.allclose(values, shares, atol=tolerance, rtol=rounding), f"model {place}: other probabilities"
        if model.labels:
            assert [one["label"] for one in answers] == [one["prediction"] for one in wanted], f"model {place}"
    return found
