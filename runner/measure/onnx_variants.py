"""The ONNX graphs that `run export` would write, timed in the same rounds as the model, called as in `run predict`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.network import Network
from models.onnx.graph import OnnxModel, write_onnx
from models.onnx.int8 import quantize_graph
from runner.measure.inputs import device_of


def onnx_models(
    model: nn.Module, threads: int, warn: Callable[[str], None]
) -> tuple[dict[str, nn.Module], dict[str, float]]:
    """Return the fp32 and the int8 graph by name, and the bytes of their files.

    Both empty for a model without a graph.
    """
    if device_of(model).type != "cpu":
        warn("measure.onnx: not timed, because it would compare CPU with CUDA. Try: device=cpu")
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
        graphs: dict[str, nn.Module] = {name: OnnxModel(path, threads) for name, path in files.items()}
        return graphs | {"onnx_int8": _RowByRow(graphs["onnx_int8"])}, sizes


class _RowByRow(nn.Module):
    """An int8 graph, called row by row: in a batch, the output of a row would depend on the other rows."""

    def __init__(self, graph: nn.Module) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, **batch: Tensor | None) -> Tensor:
        """Logits (B, ...) of inputs (B, T, ...) by name."""
        given = {name: value for name, value in batch.items() if value is not None}
        rows = zip(*(value.split(1) for value in given.values()))
        return torch.cat([self.graph(**dict(zip(given, row))) for row in rows])
