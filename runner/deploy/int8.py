"""Dynamic int8 of an ONNX file: weights and word vectors as int8, activations quantized as they come.

One scale a tensor: ONNX Runtime has no kernel for scales by channel in the three-dimensional products that
models/encoder.py makes of its last layer's weights, and by channel the others gain no accuracy on small encoders.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

QUANTIZED = ["MatMul", "Gemm", "Gather"]  # Gather: the tables, nine tenths of a small model


def quantize(source: Path, target: Path) -> None:
    """Write the int8 version of the ONNX file `source` to `target`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        _fold(source, folded)
        level = logging.root.manager.disable
        logging.disable(logging.WARNING)  # its advice to fold first
        try:
            quantize_dynamic(folded, target, weight_type=QuantType.QInt8, op_types_to_quantize=QUANTIZED)
        finally:
            logging.disable(level)


def _fold(source: Path, target: Path) -> None:
    """Write the graph with everything computed that only depends on weights, so that the quantizer sees weights."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(target)
    graph.graph.ClearField("value_info")  # shapes of before the folding, which the quantizer would hold against it
    onnx.save(graph, target)
