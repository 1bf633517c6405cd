"""Layers whose weights are stored as integer codes and steps, in memory and in the saved file.

A linear layer is decoded once and multiplied in float32; a table decodes only the rows that it looks up. torch 2.13
can multiply few-bit weights with float32, but those kernels are made for single tokens: for 128 tokens of width 768,
on one thread of a Xeon, the 8-bit product takes 55 times as long as float32 and the 4-bit product 155 times; in bf16,
both take twice as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.compression.quantization.grid import Grid, check_finite, decode, encode_in, find_ranges
from models.compression.quantization.packing import code_bytes, pack, unpack


class CodedWeight(nn.Module):
    """A layer or a table that stores codes instead of a weight matrix.

    Code that counts, measures or exports models uses this interface for quantized layers; plain layers are nn.Linear
    and nn.Embedding.
    """

    multiplies_integers: ClassVar[bool] = False  # does it multiply integers, without decoding the weight?
    is_table: ClassVar[bool] = False  # ids go in, rows of the matrix come out
    is_trained: bool = True  # was the weight that these codes replace trained?
    bias: Tensor | None  # set by every subclass

    def fill(self, weight: Tensor) -> None:
        """Quantize a float weight: (out, in), or (rows, H) for a table."""
        raise NotImplementedError

    def decoded_weight(self) -> Tensor:
        """The dequantized weight in float32, decoded at every call."""
        raise NotImplementedError

    def unpacked_bytes(self) -> int:
        """Bytes in memory of a cached decoded weight, which no file contains."""
        return 0

    def first(self, count: int) -> Tensor:
        """The first rows of the weight, (count, H)."""
        return self.decoded_weight()[:count]


def coded_weights(model: nn.Module) -> list[CodedWeight]:
    """The quantized layers and tables of a model, once each, without the parts of split layers."""
    found: dict[int, CodedWeight] = {}
    waiting: list[nn.Module] = [model]
    while waiting:
        module = waiting.pop()
        if isinstance(module, CodedWeight):
            found[id(module)] = module
        else:
            waiting += module.children()
    return list(found.values())


class CachedWeight(CodedWeight):
    """Caches what it derives from its saved tensors until those are replaced or moved."""

    derived: Any = None

    def _load_from_state_dict(self, state_dict: Mapping[str, Tensor], *rest: Any) -> None:
        self.derived = None
        super()._load_from_state_dict(state_dict, *rest)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self.derived = None
        return super()._apply(fn, recurse)


class CodedMatrix(nn.Module):
    """A matrix stored as codes, without a layer around it."""

    def fill(self, matrix: Tensor) -> None:
        """Quantize a matrix (rows, columns)."""
        raise NotImplementedError

    def decode(self) -> Tensor:
        """The matrix in float32, (rows, columns)."""
        raise NotImplementedError


class CodedRows(CodedMatrix):
    """A matrix stored as codes whose rows can be decoded one by one."""

    def decode(self, chosen: Tensor | slice = slice(None)) -> Tensor:
        """The chosen rows, (N, columns) float32; other rows are not decoded."""
        raise NotImplementedError


class Codes(CodedRows):
    """A matrix (rows, columns) stored as codes of a grid; all zero until filled or loaded."""

    codes: Tensor  # (rows, row_bytes)
    step: Tensor  # (*grid.ranges), float16 if grid.half, else float32
    zero: Tensor  # (*grid.ranges), for affine grids only

    def __init__(self, rows: int, columns: int, grid: Grid) -> None:
        super().__init__()
        self.rows, self.columns, self.grid = rows, columns, grid
        self.register_buffer("codes", torch.zeros(rows, code_bytes(columns, grid), dtype=torch.uint8))
        kind = torch.float16 if grid.half else torch.float32
        self.register_buffer("step", torch.zeros(grid.ranges(rows, columns), dtype=kind))
        if grid.scheme == "affine":
            self.register_buffer("zero", torch.zeros(grid.ranges(rows, columns), dtype=torch.uint8))

    @torch.no_grad()
    def fill(self, matrix: Tensor) -> None:
        """Quantize a matrix (rows, columns)."""
        self.fill_in(matrix, *find_ranges(matrix, self.grid))

    @torch.no_grad()
    def fill_in(self, matrix: Tensor, step: Tensor, zero: Tensor) -> None:
        """Quantize a matrix with known ranges: steps and zeros, each (*grid.ranges)."""
        check_finite(matrix)
        self.codes = pack(encode_in(matrix, step, zero, self.grid), self.grid)
        self.step = step.detach().to(self.step.dtype, copy=True)
        if self.grid.scheme == "affine":
            self.zero = zero.to(torch.uint8)

    def decode(self, chosen: Tensor | slice = slice(None)) -> Tensor:
        """The chosen rows, (N, columns) float32; other rows are not decoded."""
        zero: Tensor | float = self.zero if self.grid.scheme == "affine" else self.grid.middle
        step, block = self.step, self.grid.block
        if len(step) > 1:
            rows = chosen if block == 1 else torch.arange(self.rows, device=step.device)[chosen] // block
            step = step[rows]
            zero = zero[rows] if isinstance(zero, Tensor) else zero
        return decode(unpack(self.codes[chosen], self.columns, self.grid), step, zero, self.grid)


class CodedLinear(CachedWeight):
    """A linear layer whose weight is decoded once and then multiplied in float32."""

    def __init__(self, layer: nn.Linear, coded: CodedMatrix, *, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.coded = coded
        self.bias = layer.bias if bias else None
        self.is_trained = layer.weight.requires_grad

    def fill(self, weight: Tensor) -> None:
        """Quantize a weight (out, in)."""
        self.derived = None
        self.coded.fill(weight)

    def decoded_weight(self) -> Tensor:
        """The weight in float32, (out, in), decoded at every call."""
        return self.coded.decode()

    @property
    def weight(self) -> Tensor:
        """The weight in float32, (out, in), decoded once."""
        if self.derived is None:
            with torch.inference_mode(False), torch.no_grad():  # the cache must also work outside inference mode
                self.derived = self.decoded_weight()
        found: Tensor = self.derived
        return found

    def unpacked_bytes(self) -> int:
        """Bytes of the decoded weight, which exists only in memory."""
        return 4 * self.in_features * self.out_features

    def forward(self, input: Tensor) -> Tensor:
        """(..., in) to (..., out)."""
        return F.linear(input, self.weight, self.bias)


class CodedTable(CodedWeight):
    """A look-up table stored as codes that are decoded row by row."""

    is_table = True

    def __init__(self, table: nn.Embedding, grid: Grid | CodedRows) -> None:
        """grid: the grid of the rows, or an empty matrix of other codes."""
        super().__init__()
        self.num_embeddings, self.embedding_dim = table.num_embeddings, table.embedding_dim
        self.padding_idx = table.padding_idx
        shape = (table.num_embeddings, table.embedding_dim)
        self.coded: CodedRows = Codes(*shape, grid) if isinstance(grid, Grid) else grid
        self.bias = None
        self.is_trained = table.weight.requires_grad

    def fill(self, weight: Tensor) -> None:
        """Quantize a table (rows, H)."""
        self.coded.fill(weight)

    def decoded_weight(self) -> Tensor:
        """The table in float32, (rows, H), decoded at every call."""
        return self.coded.decode()

    @property
    def weight(self) -> Tensor:
        """The table in float32, (rows, H), decoded at every call, for code that reads a table's weight."""
        return self.coded.decode()

    def first(self, count: int) -> Tensor:
        """The first rows, (count, H); other rows are not decoded."""
        return self.coded.decode(slice(count))

    def forward(self, input: Tensor) -> Tensor:
        """Ids of any shape to (..., H)."""
        return self.coded.decode(input.flatten()).view(*input.shape, self.embedding_dim)
