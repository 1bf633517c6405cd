"""Finds the matrices of a model in the tensors of its graph, by their content.

The exporter renames, transposes and cuts them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from torch import nn

from models.compression.quantization.coded import CodedLinear, CodedTable, Codes, coded_weights
from models.onnx.unpacking import Array

ROUNDING = 0.51  # of a step of an int8 weight: by so much it may be from the weight that it stands for


@dataclass(frozen=True)
class Matrix:
    """A coded weight: its codes, and what they decode to, (rows, columns) float32."""

    coded: Codes
    weight: Array


@dataclass(frozen=True)
class Place:
    """How a tensor of a graph holds a matrix."""

    matrix: Matrix
    is_transposed: bool = False
    blocks: tuple[int, ...] = ()  # the shape that the matrix is cut into, of a tensor of three dimensions
    are_turned: bool = False  # are the last two of them exchanged?

    def of(self, values: Array) -> Array:
        """Values (rows, columns) as the tensor holds them."""
        values = values.T if self.is_transposed else values
        values = values.reshape(self.blocks) if self.blocks else values
        return values.swapaxes(1, 2) if self.are_turned else values

    def holds(self, found: Array, scale: Array | None) -> bool:
        """Is a tensor this matrix? scale: of an int8 tensor, of all of it or of each column; None: it is float32."""
        weight = self.of(self.matrix.weight)
        if scale is None:
            return np.array_equal(found, weight)
        if scale.ndim and not self.is_transposed:
            return False
        # a row first, because most matrices are others
        return all(bool((np.abs(found[some] * scale - weight[some]) <= ROUNDING * scale).all()) for some in (0, ...))


def matrices_of(model: nn.Module) -> list[Matrix]:
    """The weights of a model that are in the codes of a grid."""
    found = [(layer, layer.coded) for layer in coded_weights(model) if isinstance(layer, CodedLinear | CodedTable)]
    return [Matrix(codes, layer.decoded_weight().cpu().numpy()) for layer, codes in found if isinstance(codes, Codes)]


def places(matrix: Matrix, shape: tuple[int, ...]) -> Iterable[Place]:
    """The ways in which a tensor of this shape may hold a matrix."""
    rows, columns = matrix.weight.shape
    if shape == (rows, columns):
        yield Place(matrix)
    if shape == (columns, rows):
        yield Place(matrix, is_transposed=True)
    if len(shape) == 3:  # keys and values by attention heads, as models/backbones/attention.py cuts them
        if (shape[0] * shape[1], shape[2]) == (rows, columns):
            yield Place(matrix, blocks=shape)
        if (shape[0] * shape[2], shape[1]) == (rows, columns):
            yield Place(matrix, blocks=(shape[0], shape[2], shape[1]), are_turned=True)
