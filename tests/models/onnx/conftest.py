"""A model and its graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.onnx.graph import write_onnx
from tests.models.helpers import small


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model of two layers, the last of which computes only what is read, and its graph."""
    model, path = small(vocab_size=2000, positions=48), tmp_path_factory.mktemp("graph") / "model.onnx"
    write_onnx(model, path)
    return model, path
