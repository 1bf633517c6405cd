"""Finds a model's quantized matrices among the tensors of its graph, by comparing values.

Names do not help, because the exporter renames, transposes and reshapes the matrices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from torch import nn

from models.compression.quantization.coded import CodedLinear, CodedTable, Codes, coded_weights
from models.onnx.unpacking import Array

ROUNDING = 0.51  # largest rounding error of an int8 weight, in steps


@dataclass(frozen=True)
class Matrix:
    """A quantized weight: its codes and its decoded values, (rows, columns) float32."""

    coded: Codes
    weight: Array


@dataclass(frozen=True)
class Place:
    """The form in which a tensor of a graph holds a matrix."""

    matrix: Matrix
    is_transposed: bool = False
    blocks: tuple[int, ...] = ()  # the three-dimensional shape that the matrix is reshaped to, if any
    are_turned: bool = False  # are its last two dimensions swapped afterwards?

    def of(self, values: Array) -> Array:
        """Bring values (rows, columns) into the form of the tensor."""
        values = values.T if self.is_transposed else values
        values = values.reshape(self.blocks) if self.blocks else values
        return values.swapaxes(1, 2) if self.are_turned else values

    def holds(self, found: Array, scale: Array | None) -> bool:
        """Does a tensor hold this matrix? scale: of an int8 tensor, one or one per column; None: it is float32."""
        weight = self.of(self.matrix.weight)
        if scale is None:
            return np.array_equal(found, weight)
        if scale.ndim and not self.is_transposed:
            return False
        # one row first, because most comparisons fail
        return all(bool((np.abs(found[some] * scale - weight[some]) <= ROUNDING * scale).all()) for some in (0, ...))


def matrices_of(model: nn.Module) -> list[Matrix]:
    """The weights of a model that are quantized on a grid."""
    found = [(layer, layer.coded) for layer in coded_weights(model) if isinstance(layer, CodedLinear | CodedTable)]
    return [Matrix(codes, layer.decoded_weight().cpu().numpy()) for layer, codes in found if isinstance(codes, Codes)]


def places(matrix: Matrix, shape: tuple[int, ...]) -> Iterable[Place]:
    """The forms in which a tensor of this shape may hold a matrix."""
    rows, columns = matrix.weight.shape
    if shape == (rows, columns):
        yield Place(matrix)
    if shape == (columns, rows):
        yield Place(matrix, is_transposed=True)
    if len(shape) == 3:  # keys and values per head, as in models/backbones/attention.py
        if (shape[0] * shape[1], shape[2]) == (rows, columns):
            yield Place(matrix, blocks=shape)
        if (shape[0] * shape[2], shape[1]) == (rows, columns):
            yield Place(matrix, blocks=(shape[0], shape[2], shape[1]), are_turned=True)
