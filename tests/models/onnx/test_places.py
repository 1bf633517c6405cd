"""Matrices are found in the tensors of a graph as they stand, transposed, cut by heads and rounded to int8."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.compression.quantization.coded import Codes
from models.compression.quantization.grid import Grid
from models.onnx.places import Matrix, Place, matrices_of, places
from tests.models.helpers import small


def matrix(rows: int = 12, columns: int = 8, seed: int = 0) -> Matrix:
    codes = Codes(rows, columns, Grid(4))
    codes.fill(torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed)))
    return Matrix(codes, codes.decode().numpy())


def found(one: Matrix, tensor: np.ndarray, scale: np.ndarray | None = None) -> list[Place]:
    return [place for place in places(one, tensor.shape) if place.holds(tensor, scale)]


def test_a_tensor_holds_a_matrix_in_four_ways() -> None:
    one = matrix()
    ways = {
        "as it stands": (one.weight, Place(one)),
        "transposed": (one.weight.T, Place(one, is_transposed=True)),
        "by heads": (one.weight.reshape(3, 4, 8), Place(one, blocks=(3, 4, 8))),
        "heads turned": (one.weight.reshape(3, 4, 8).swapaxes(1, 2), Place(one, blocks=(3, 4, 8), are_turned=True)),
    }
    for tensor, place in ways.values():
        assert found(one, np.ascontiguousarray(tensor)) == [place]
        np.testing.assert_array_equal(place.of(one.weight), tensor)


def test_a_square_matrix_is_told_from_its_transpose_and_from_others() -> None:
    one, other = matrix(8, 8), matrix(8, 8, seed=1)
    assert found(one, one.weight.T.copy()) == [Place(one, is_transposed=True)]
    assert found(other, one.weight) == []


@pytest.mark.parametrize("is_off", [False, True])
def test_an_int8_weight_is_a_matrix_up_to_its_rounding(is_off: bool) -> None:
    one = matrix()
    scale = np.abs(one.weight.T).max(0) / np.float32(127)
    rounded = np.rint(one.weight.T / scale).astype(np.int8)
    rounded[5, 3] -= 2 * int(is_off) * (1 if rounded[5, 3] > 0 else -1)
    assert found(one, rounded, scale) == ([] if is_off else [Place(one, is_transposed=True)])


def test_a_model_without_codes_has_no_matrices() -> None:
    assert matrices_of(small()) == []
