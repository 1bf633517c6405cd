"""A model and its graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.compression import settings
from models.compression.weight_only import WeightOnly
from models.onnx.graph import write_onnx
from tests.models.compression.row_context import applied
from tests.models.helpers import small


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model of two layers, the last of which computes only what is read, and its graph."""
    model, path = small(vocab_size=2000, positions=48), tmp_path_factory.mktemp("graph") / "model.onnx"
    write_onnx(model, path)
    return model, path


@pytest.fixture(scope="session")
def coded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model in codes of 3 bits, with a table large enough to be unpacked row by row, and its graph."""
    stage = WeightOnly(settings.WeightOnly(bits=3, scheme="affine", per="group", group=16, embedding_bits=4))
    model, path = applied(stage, small(vocab_size=2100, positions=48))[0], tmp_path_factory.mktemp("coded") / "m.onnx"
    for name, steps in model.named_buffers():
        if name.endswith("coded.step"):
            steps.copy_(steps.half())  # numbers that float16 has, as some methods store them
    write_onnx(model.float(), path)  # which also forgets what was decoded with the steps before
    return model, path
