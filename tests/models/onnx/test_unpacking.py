"""Packed matrices as operators: the weight that the codes stand for, to the bit, whole or row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from models.compression.quantization.coded import Codes
from models.compression.quantization.grid import Grid
from models.onnx.unpacking import Operators, PackedMatrix, halved, pack_halves

EVERY = [Grid(bits, scheme, half=bits < 5) for bits in range(2, 9) for scheme in ("affine", "symmetric", "even")]
SHARED = [
    Grid(bits, scheme, per, 16, block=block)
    for bits, scheme in ((3, "affine"), (4, "symmetric"), (2, "even"), (2, "ternary"))
    for per, block in (("tensor", 1), ("row", 1), ("row", 4), ("group", 1), ("group", 4))
]
ODD = (11, 37)  # rows and columns: no byte, group or block is full


def filled(grid: Grid, rows: int, columns: int) -> Codes:
    codes = Codes(rows, columns, grid)
    codes.fill(torch.randn(rows, columns, generator=torch.Generator().manual_seed(0)) + 0.1)
    return codes


def run(add: Operators, ids: np.ndarray | None = None) -> Any:
    """The value that the operators make."""
    add.finish("y")
    inputs = [] if ids is None else [helper.make_tensor_value_info("ids", TensorProto.INT64, [None, None])]
    result = helper.make_empty_tensor_value_info("y")
    graph = helper.make_graph(add.nodes, "g", inputs, [result], add.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model = onnx.shape_inference.infer_shapes(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {} if ids is None else {"ids": ids})[0]


def multiplied(matrix: PackedMatrix, add: Operators, ids: str = "") -> None:
    add("Mul", add.to(matrix.signed(add, ids), np.float32), matrix.steps(add, ids))


@pytest.mark.parametrize("grid", EVERY + SHARED, ids=str)
def test_operators_decode_every_grid_to_the_bit(grid: Grid) -> None:
    codes = filled(grid, *ODD)
    for is_transposed in (False, True):
        add = Operators("w")
        multiplied(PackedMatrix(codes, is_transposed=is_transposed), add)
        wanted = codes.decode().numpy()
        np.testing.assert_array_equal(run(add), wanted.T if is_transposed else wanted)


@pytest.mark.parametrize("grid", [*SHARED, Grid(8), Grid(8, "symmetric")], ids=str)
def test_rows_are_decoded_as_they_are_looked_up(grid: Grid) -> None:
    codes, ids = filled(grid, *ODD), np.array([[3, 10, 0], [3, 5, 9]])
    add = Operators("table", "unpack/")
    multiplied(PackedMatrix(codes), add, "ids")
    np.testing.assert_array_equal(run(add, ids), codes.decode().numpy()[ids])
    assert all(node.name.startswith("unpack/") for node in add.nodes)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_packed_codes_take_their_bits_and_no_byte_more(bits: int) -> None:
    codes = (np.arange(6 * 24) % 2**bits).astype(np.uint8).reshape(6, 24)
    assert pack_halves(codes, bits).shape == (6, 24 * bits // 8)


def test_steps_over_a_scale_are_those_of_int8_weights() -> None:
    for grid in (Grid(4, "affine", "group", 16, block=4), Grid(4, "affine", "group", 16), Grid(3, "affine", "tensor")):
        codes, scale = filled(grid, *ODD), np.linspace(0.01, 0.02, ODD[0], dtype=np.float32)
        matrix, add = PackedMatrix(codes, is_transposed=True), Operators("w")
        add("Mul", add.to(matrix.signed(add), np.float32), matrix.steps(add, scale=scale))
        np.testing.assert_allclose(run(add), codes.decode().numpy().T / scale, rtol=1e-5, atol=1e-6)


def test_numbers_become_float16_only_where_nothing_is_lost() -> None:
    exact, small, large = (np.array(values, np.float32) for values in ([0.5, -3], [0.1], [1e6]))
    assert halved(exact).dtype == np.float16
    assert halved(small) is small and halved(large) is large
