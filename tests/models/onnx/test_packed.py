"""Codes stay packed in a graph: what is folded when the file is opened, what is looked up, and what int8 becomes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from models.compression.quantization.coded import Codes
from models.compression.quantization.grid import Grid
from models.onnx.graph import OnnxModel
from models.onnx.int8 import quantize_graph
from models.onnx.packed import UNPACKED, keep_codes, pack_file
from models.onnx.places import Matrix
from tests.models.helpers import batch
from tests.models.onnx.graphs import difference


def opened(path: Path) -> Any:
    """The graph that ONNX Runtime runs."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path.with_suffix(".opened"))
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return onnx.load(path.with_suffix(".opened")).graph


def test_all_weights_are_unpacked_when_the_file_is_opened(coded: tuple[Any, Path], capfd: Any) -> None:
    graph = opened(coded[1])
    assert capfd.readouterr().err == "", "a warning of ONNX Runtime"
    bits = [node for node in graph.node if node.op_type.startswith("Bit")]
    assert bits and all(node.name.startswith(UNPACKED) for node in bits)
    products = [node for node in graph.node if "MatMul" in node.op_type or "Gemm" in node.op_type]
    weights = {tensor.name: tensor for tensor in graph.initializer}
    held = [weights[node.input[1]] for node in products if node.input[1] in weights]
    assert len(held) == 14 and all(tensor.data_type == TensorProto.FLOAT for tensor in held)


def test_the_table_stays_packed_and_nothing_is_a_float_weight(coded: tuple[Any, Path]) -> None:
    tensors = onnx.load(coded[1]).graph.initializer
    largest = max(tensors, key=lambda tensor: np.prod(tensor.dims))
    assert (tuple(largest.dims), largest.data_type) == ((2100, 16), TensorProto.UINT8)
    assert max(np.prod(one.dims) for one in tensors if one.data_type == TensorProto.FLOAT16) == 2100, (
        "steps of the table"
    )
    assert max(np.prod(one.dims) for one in tensors if one.data_type == TensorProto.FLOAT) <= 48


def test_int8_has_the_fused_products_of_a_plain_graph_in_a_small_file(coded: tuple[Any, Path], tmp_path: Path) -> None:
    model, source = coded
    target = tmp_path / "int8.onnx"
    quantize_graph(source, target, model)
    assert target.stat().st_size < 1.1 * source.stat().st_size + 20_000
    counts = Counter(node.op_type for node in opened(target).node)
    assert counts["DynamicQuantizeMatMul"] + counts["MatMulIntegerToFloat"] >= 12
    inputs = batch(8, 20, vocab_size=2100)
    spread = float(model(**inputs).detach().std())
    assert 0 < difference(model, OnnxModel(target, threads=1), inputs) < 0.1 * spread + 0.01


def product(weight: np.ndarray, scale: np.ndarray | None = None) -> onnx.ModelProto:
    """A graph of one product with a weight (in, out), float32 or int8, whose inputs are whole numbers."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    tensors = {"w": weight}
    kind = TensorProto.FLOAT
    if scale is not None:
        nodes = [
            helper.make_node("MatMulInteger", ["x", "w_quantized"], ["sum"]),
            helper.make_node("Cast", ["sum"], ["number"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["number", "w_scale"], ["y"]),
        ]
        tensors, kind = {"w_quantized": weight, "w_scale": scale}, TensorProto.UINT8
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", kind, [None, weight.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, weight.shape[1]])],
        [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in tensors.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def answer(model: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"x": inputs})[0]
    return found


@pytest.mark.parametrize(
    ("grid", "is_exact"),
    [(Grid(2, "even"), True), (Grid(3, "symmetric"), True), (Grid(4), True), (Grid(8, "symmetric"), True),
     (Grid(4, per="tensor"), True), (Grid(4, per="group", group=16), False), (Grid(8), False)],
)  # fmt: skip
def test_int8_weights_are_the_codes_themselves_where_a_row_has_one_step(grid: Grid, is_exact: bool) -> None:
    codes = Codes(24, 64, grid)
    codes.fill(torch.randn(24, 64, generator=torch.Generator().manual_seed(0)))
    weight = codes.decode().numpy()
    scale = np.abs(weight.T).max(0) / np.float32(127)
    rounded = np.rint(weight.T / scale).astype(np.int8)
    model, inputs = product(rounded, scale), np.arange(5 * 64, dtype=np.uint8).reshape(5, 64)
    before = answer(model, inputs)
    keep_codes(model.graph, [Matrix(codes, weight)])
    after = answer(model, inputs)
    if is_exact:
        np.testing.assert_allclose(after, inputs.astype(np.float32) @ weight.T, rtol=1e-4, atol=1e-3)
    else:
        np.testing.assert_allclose(after, before, rtol=0, atol=float(inputs.sum(1).max() * scale.max() / 100))


def test_a_weight_of_no_layer_and_a_model_without_codes_stay_as_they_are(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).standard_normal((64, 24)).astype(np.float32)
    model, path = product(weight), tmp_path / "m.onnx"
    onnx.save(model, path)
    written = path.read_bytes()
    pack_file(path, torch.nn.Linear(64, 24))
    assert path.read_bytes() == written
    codes = Codes(24, 64, Grid(4))
    keep_codes(model.graph, [Matrix(codes, codes.decode().numpy())])
    assert [tensor.name for tensor in model.graph.initializer] == ["w"]
