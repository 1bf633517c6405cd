"""The ONNX graphs that `run export` would write, timed in the same rounds as the model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from torch import nn

from models.errors import ModelError
from models.network import Network
from models.onnx.graph import OnnxModel, write_onnx
from models.onnx.int8 import quantize_graph
from runner.measure.inputs import device_of


def onnx_models(
    model: nn.Module, threads: int, warn: Callable[[str], None]
) -> tuple[dict[str, nn.Module], dict[str, float]]:
    """The fp32 and the int8 graph by name, and the bytes of their files; both empty for a model without a graph."""
    if device_of(model).type != "cpu":
        warn("measure.onnx: not timed, it would be CPU beside CUDA. Try: device=cpu")
        return {}, {}
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.onnx" for name in ("onnx", "onnx_int8")}
        try:
            write_onnx(cast(Network, model), files["onnx"])
        except ModelError as error:
            warn(f"measure.onnx: {error}")
            return {}, {}
        quantize_graph(files["onnx"], files["onnx_int8"], model)
        sizes = {f"cost/bytes_{name}": float(path.stat().st_size) for name, path in files.items()}
        return {name: OnnxModel(path, threads) for name, path in files.items()}, sizes
