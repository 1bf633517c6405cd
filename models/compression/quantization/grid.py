"""Uniform rounding: a range [low, high] of weights becomes 2^bits evenly spaced levels.

    affine:     step = (high - low) / (2^bits - 1), zero = round(-low / step), weight = (code - zero) step
    symmetric:  step = max |weight| / (2^(bits - 1) - 1), zero = 2^(bits - 1); at 2 bits three levels remain
    ternary:    the three levels -step, 0 and step; step = mean |weight| of those nearer to a step than to 0

An affine range always holds 0: a zero decodes to exactly 0, and the zero point fits into the bits of a code.
Rounding is half to even. The formulas are those of Song & Lin 2025 (arXiv 2501.12428), with codes from 0 up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import ModelError

TERNARY_ROUNDS = 8  # the step then moves by less than a thousandth


@dataclass(frozen=True)
class Grid:
    """How a matrix is quantized. per: what shares a range: the tensor, a row, or `group` neighbours in a row.

    block: neighbouring rows that share a range; of groups, those at the same place in their rows. clip: percent of the
    weights cut off at each end of the range before rounding.
    """

    bits: int
    scheme: str = "affine"  # affine | symmetric | ternary (of 2 bits)
    per: str = "row"  # tensor | row | group
    group: int = 128
    clip: float = 0.0
    block: int = 1

    @property
    def least(self) -> int:
        """The lowest code."""
        return 0 if self.scheme == "affine" else 1

    @property
    def top(self) -> int:
        """The highest code."""
        return 2**self.bits - 1

    @property
    def middle(self) -> int:
        """The code of 0 in a symmetric grid."""
        return 2 ** (self.bits - 1)

    def ranges(self, rows: int, columns: int) -> tuple[int, int]:
        """The shape of a tensor with one value for each range, such as the steps."""
        if self.per == "tensor":
            return 1, 1
        return -(-rows // self.block), -(-columns // self.group) if self.per == "group" else 1

    def by_range(self, matrix: Tensor) -> Tensor:
        """(rows, columns) to (*ranges, members); a shorter last group or block is filled up with its last member."""
        if self.per == "tensor":
            return matrix.reshape(1, 1, -1)
        group = self.group if self.per == "group" else matrix.shape[1]
        missing = (0, -matrix.shape[1] % group, 0, -matrix.shape[0] % self.block)
        filled = F.pad(matrix.unsqueeze(0), missing, mode="replicate").squeeze(0) if any(missing) else matrix
        return filled.unflatten(1, (-1, group)).unflatten(0, (-1, self.block)).transpose(1, 2).flatten(2)

    def per_row(self, values: Tensor, rows: int) -> Tensor:
        """Values of ranges (R, G, ...) for each row, (rows or 1, G, ...); those of rows already stay as they are."""
        if self.block == 1 or len(values) in (1, rows):
            return values
        return values.repeat_interleave(self.block, 0)[:rows]

    def per_entry(self, values: Tensor, columns: int) -> Tensor:
        """Values of ranges (R, G, ...) in a shape that broadcasts over the matrix: (R or 1, columns or 1, ...)."""
        return values.repeat_interleave(self.group, 1)[:, :columns] if self.per == "group" else values


def encode(matrix: Tensor, grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (rows, columns) and zeros (*ranges), both uint8, and steps (*ranges) of a finite float matrix."""
    check_finite(matrix)
    step, zero = find_ranges(matrix, grid)
    return encode_in(matrix, step, zero, grid), step, zero.to(torch.uint8)


def find_ranges(matrix: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Steps and zeros, both floats of shape (*ranges), of a matrix (rows, columns)."""
    cells = grid.by_range(matrix)
    if grid.scheme == "ternary":
        step = _ternary_step(cells)
        return step, torch.full_like(step, grid.middle)
    low, high = _bounds(cells, grid.clip)
    if grid.scheme == "symmetric":
        step = torch.maximum(low.abs(), high.abs()) / max(grid.middle - 1, 1)
        return step, torch.full_like(step, grid.middle)
    low, high = low.clamp(max=0.0), high.clamp(min=0.0)
    step = (high - low) / grid.top
    return step, torch.round(-low / divisor(step))


def encode_in(matrix: Tensor, step: Tensor, zero: Tensor, grid: Grid) -> Tensor:
    """Codes (rows, columns), uint8, in ranges that are known; values outside get the nearest code."""
    rows, columns = matrix.shape
    steps = grid.per_entry(grid.per_row(divisor(step), rows), columns)
    codes = torch.round(matrix / steps) + grid.per_entry(grid.per_row(zero, rows), columns)
    return codes.clamp_(grid.least, grid.top).to(torch.uint8)


def decode(codes: Tensor, step: Tensor, zero: Tensor | int, grid: Grid) -> Tensor:
    """The matrix (rows, columns) of these codes; zero: as `encode` returns it, or one number for all."""
    rows, columns = codes.shape
    shift = zero if isinstance(zero, int) else grid.per_entry(grid.per_row(zero, rows), columns).float()
    return (codes.float() - shift) * grid.per_entry(grid.per_row(step, rows), columns)


def check_finite(matrix: Tensor) -> None:
    """ModelError if a weight is not finite."""
    if not bool(torch.isfinite(matrix).all()):
        raise ModelError("weights that are not finite cannot be quantized: the training before this stage diverged")


def _bounds(cells: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Lowest and highest member of each range, without `clip` percent of the members at each end."""
    members = cells.shape[-1]
    cut = round(members * clip / 100)
    if not cut:
        return cells.amin(-1), cells.amax(-1)
    return cells.kthvalue(cut + 1, -1).values, cells.kthvalue(members - cut, -1).values


def _ternary_step(cells: Tensor) -> Tensor:
    """The steps (*ranges) of cells (*ranges, members): the least squared error, found in a few rounds.

    Source of the start: Li, Zhang & Liu 2016, Ternary Weight Networks, arXiv 1605.04711, threshold 0.7 mean |weight|.
    """
    sizes = cells.abs()
    least = 0.7 * sizes.mean(-1, keepdim=True)
    step = torch.zeros_like(least)
    for _ in range(TERNARY_ROUNDS):
        is_large = sizes > least
        step = (sizes * is_large).sum(-1, keepdim=True) / is_large.sum(-1, keepdim=True).clamp(min=1)
        least = step / 2
    return step.squeeze(-1)


def divisor(step: Tensor) -> Tensor:
    """The steps, 1 where all members of a range are 0."""
    return torch.where(step > 0, step, 1.0)
