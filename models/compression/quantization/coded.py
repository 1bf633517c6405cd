"""Layers whose weights are codes: what lies in memory's state and in the file is the codes and their steps.

torch has products of few-bit weights with float32 only for single tokens' sake: at 128 tokens of 768, on one thread of
a Xeon, torch 2.13's 8-bit one takes 55 times as long as the float32 product and the 4-bit one 155 times, in bf16 both
twice as long. So a layer is decoded once and multiplied in float32; a table decodes the rows it looks up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.compression.quantization.bits import pack, row_bytes, unpack
from models.compression.quantization.grid import Grid, decode, encode


class Derived(nn.Module):
    """Keeps what it computes from its saved tensors until those are replaced or moved."""

    derived: Any = None

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], *rest: Any) -> None:
        self.derived = None
        super()._load_from_state_dict(state_dict, *rest)

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self.derived = None
        return super()._apply(fn, recurse)


class Codes(nn.Module):
    """A matrix (rows, columns) in the codes of a grid; all zero until filled or loaded."""

    codes: Tensor  # (rows, row_bytes)
    step: Tensor  # (*grid.ranges)
    zero: Tensor  # the same; an affine grid's alone

    def __init__(self, rows: int, columns: int, grid: Grid) -> None:
        super().__init__()
        self.rows, self.columns, self.grid = rows, columns, grid
        self.register_buffer("codes", torch.zeros(rows, row_bytes(columns, grid.bits), dtype=torch.uint8))
        self.register_buffer("step", torch.zeros(grid.ranges(rows, columns)))
        if grid.scheme == "affine":
            self.register_buffer("zero", torch.zeros(grid.ranges(rows, columns), dtype=torch.uint8))

    @torch.no_grad()
    def fill(self, matrix: Tensor) -> None:
        """Round a matrix into the codes."""
        codes, step, zero = encode(matrix, self.grid)
        self.codes, self.step = pack(codes, self.grid.bits), step
        if self.grid.scheme == "affine":
            self.zero = zero

    def decode(self, chosen: Tensor | slice = slice(None)) -> Tensor:
        """The rows `chosen` (all of them), (N, columns) float32; no others are touched."""
        zero: Tensor | int = self.zero if self.grid.scheme == "affine" else self.grid.middle
        step = self.step
        if len(step) > 1:
            step = step[chosen]
            zero = zero if isinstance(zero, int) else zero[chosen]
        return decode(unpack(self.codes[chosen], self.grid.bits, self.columns), step, zero, self.grid)


class CodedLinear(Derived):
    """A linear layer over `coded`, a Codes or whatever else decodes to its weight."""

    is_product = True  # with `weight`, for whoever multiplies by it in another order

    def __init__(self, layer: nn.Linear, coded: nn.Module, *, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.coded = coded
        self.bias = layer.bias if bias else None
        self.is_trained = layer.weight.requires_grad

    def fill(self, weight: Tensor) -> None:
        """Round a weight (out, in)."""
        self.derived = None
        self.coded.fill(weight)  # type: ignore[operator]

    def stands_for(self) -> Tensor:
        """The weight in float32, (out, in), decoded anew."""
        found: Tensor = self.coded.decode()  # type: ignore[operator]
        return found

    @property
    def weight(self) -> Tensor:
        """The same, decoded once."""
        if self.derived is None:
            with torch.inference_mode(False), torch.no_grad():  # what is kept must serve any later caller
                self.derived = self.stands_for()
        found: Tensor = self.derived
        return found

    def unpacked_bytes(self) -> int:
        """Memory of the decoded weight, which no file holds."""
        return 4 * self.in_features * self.out_features

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        return F.linear(input, self.weight, self.bias)


class CodedTable(nn.Module):
    """A look-up table in codes, with a range of its own for each row."""

    def __init__(self, table: nn.Embedding, grid: Grid) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = table.num_embeddings, table.embedding_dim
        self.padding_idx = table.padding_idx
        self.coded = Codes(table.num_embeddings, table.embedding_dim, grid)
        self.is_trained = table.weight.requires_grad

    def fill(self, weight: Tensor) -> None:
        """Round a table (rows, H)."""
        self.coded.fill(weight)

    def stands_for(self) -> Tensor:
        """The table in float32, (rows, H)."""
        return self.coded.decode()

    @property
    def weight(self) -> Tensor:
        """The same, decoded at every call."""
        return self.coded.decode()

    def first(self, count: int) -> Tensor:
        """The first rows, (count, H)."""
        return self.coded.decode(slice(count))

    def forward(self, input: Tensor) -> Tensor:
        """ids of any shape to (..., H)."""
        return self.coded.decode(input.flatten()).view(*input.shape, self.embedding_dim)
