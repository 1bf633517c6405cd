"""Dynamic int8 quantization of an ONNX file: weights and word vectors in int8, activations quantized at run time.

Each column of a weight has its own scale: with one scale per tensor, a fine-tuned MiniLM lost 1.1 points on SST-2 at
the same speed, and the error of its logits tripled. Two kinds of tensors do have a single scale: tables, and the
three-dimensional weights that models/backbones/attention.py makes for the last layer, for which no kernel supports
scales per column.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from torch import nn

from models.heads.exits import exits_of
from models.network import Network
from models.onnx.graph import write_onnx
from models.onnx.packed import UNPACKED, pack_file

if TYPE_CHECKING:
    from onnx import NodeProto

EXIT_WEIGHTS = "model.exits."  # in the names of a graph's tensors
QUANTIZED = ["MatMul", "Gemm", "Gather"]  # Gather: embedding tables, nine tenths of a small model


def quantize_graph(source: Path, target: Path, model: nn.Module) -> None:
    """Write the int8 version of the ONNX file `source` to `target`.

    model: the model in `source`; its already quantized weights stay packed. If it has exits, it is exported again, part
    by part, instead of reading `source`.
    """
    if exits_of(model) is not None:
        write_onnx(cast(Network, model), target, lambda part: _quantize(part, part, model))
    else:
        _quantize(source, target, model)


def _quantize(source: Path, target: Path, model: nn.Module) -> None:
    """Write the int8 version of a graph without branches."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        folded, begun = Path(folder) / "folded.onnx", Path(folder) / "begun.onnx"
        _fold(source, folded)
        kept = [node.name for node in onnx.load(folded).graph.node if _stays_float(node)]
        kept += [f"{name}_MatMul" for name in kept]  # the quantizer first makes such a product of a Gemm
        level = logging.root.manager.disable
        logging.disable(logging.WARNING)  # the quantizer's advice to fold constants first
        try:
            if whole := _products_of_blocks(folded):
                quantize_dynamic(folded, begun, weight_type=QuantType.QInt8, nodes_to_quantize=whole)
            quantize_dynamic(
                begun if whole else folded, target, weight_type=QuantType.QInt8,
                op_types_to_quantize=QUANTIZED, per_channel=True, nodes_to_exclude=kept,
            )  # fmt: skip
        finally:
            logging.disable(level)
    pack_file(target, model)


def _stays_float(node: NodeProto) -> bool:
    """Return whether a node is not quantized: look-ups of packed rows, and the products of exits.

    Lower layers, at the first token above all, change little from text to text compared with their size, so rounding
    an exit's input to 8 bits can lose all that it reads. Its weights are few.
    """
    return node.name.startswith(UNPACKED) or any(EXIT_WEIGHTS in name for name in node.input)


def _products_of_blocks(path: Path) -> list[str]:
    """The nodes that multiply by a three-dimensional weight."""
    import onnx

    graph = onnx.load(path).graph
    blocks = {weight.name for weight in graph.initializer if len(weight.dims) == 3}
    return [node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in blocks]


def _fold(source: Path, target: Path) -> None:
    """Write the graph with constants folded, so that the quantizer sees all weights."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(target)
    graph.graph.ClearField("value_info")  # outdated shapes, which the quantizer would reject
    onnx.save(graph, target)
