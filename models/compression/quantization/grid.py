"""Uniform rounding: a range [low, high] of weights becomes 2^bits evenly spaced levels.

    affine:     step = (high - low) / (2^bits - 1), zero = round(-low / step), weight = (code - zero) step
    symmetric:  step = max |weight| / (2^(bits - 1) - 1), zero = 2^(bits - 1); at 2 bits three levels remain

An affine range always holds 0: a zero decodes to exactly 0, and the zero point fits into the bits of a code.
Rounding is half to even. The formulas are those of Song & Lin 2025 (arXiv 2501.12428), with codes from 0 up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import ModelError


@dataclass(frozen=True)
class Grid:
    """How a matrix is quantized. per: what shares a range: the tensor, a row, or `group` neighbours in a row.

    clip: percent of the weights cut off at each end of the range before rounding.
    """

    bits: int
    scheme: str = "affine"  # affine | symmetric
    per: str = "row"  # tensor | row | group
    group: int = 128
    clip: float = 0.0

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
        return rows, -(-columns // self.group) if self.per == "group" else 1

    def by_range(self, matrix: Tensor) -> Tensor:
        """(rows, columns) to (*ranges, members); a shorter last group is filled up with its last member."""
        rows, columns = matrix.shape
        if self.per == "group":
            missing = -columns % self.group
            filled = F.pad(matrix.unsqueeze(0), (0, missing), mode="replicate").squeeze(0) if missing else matrix
            return filled.unflatten(1, (-1, self.group))
        return matrix.reshape(*self.ranges(rows, columns), -1)

    def per_entry(self, values: Tensor, columns: int) -> Tensor:
        """Values of ranges (R, G, ...) in a shape that broadcasts over the matrix: (R or 1, columns or 1, ...)."""
        return values.repeat_interleave(self.group, 1)[:, :columns] if self.per == "group" else values


def encode(matrix: Tensor, grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (rows, columns) and zeros (*ranges), both uint8, and steps (*ranges) of a finite float matrix."""
    check_finite(matrix)
    low, high = _bounds(grid.by_range(matrix), grid.clip)
    if grid.scheme == "symmetric":
        step = torch.maximum(low.abs(), high.abs()) / max(grid.middle - 1, 1)
        zero = torch.full_like(step, grid.middle)
    else:
        low, high = low.clamp(max=0.0), high.clamp(min=0.0)
        step = (high - low) / grid.top
        zero = torch.round(-low / _divisor(step))
    columns = matrix.shape[1]
    codes = torch.round(matrix / grid.per_entry(_divisor(step), columns)) + grid.per_entry(zero, columns)
    least = 1 if grid.scheme == "symmetric" else 0
    return codes.clamp_(least, grid.top).to(torch.uint8), step, zero.to(torch.uint8)


def decode(codes: Tensor, step: Tensor, zero: Tensor | int, grid: Grid) -> Tensor:
    """The matrix (rows, columns) of these codes; zero: as `encode` returns it, or one number for all."""
    columns = codes.shape[1]
    shift = zero if isinstance(zero, int) else grid.per_entry(zero, columns).float()
    return (codes.float() - shift) * grid.per_entry(step, columns)


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


def _divisor(step: Tensor) -> Tensor:
    """The steps, 1 where all members of a range are 0."""
    return torch.where(step > 0, step, 1.0)
