"""Uniform quantization: a range [low, high] of weights is mapped to 2^bits evenly spaced levels.

    affine:     step = (high - low) / (2^bits - 1), zero = round(-low / step), weight = (code - zero) step
    symmetric:  step = max |weight| / (2^(bits - 1) - 1), zero = 2^(bits - 1); 2 bits give three levels
    ternary:    the levels -step, 0 and step; step = mean |weight| of those closer to +-step than to 0
    even:       levels at odd multiples of step / 2, as many above 0 as below it; step = max |weight| / 2^(bits - 1)

An affine range always includes 0: a zero decodes to exactly 0, and the zero point is a valid code.
Ties round to even, but up if scheme=even. Formulas are from Song & Lin 2025 (arXiv 2501.12428), with codes from 0 up.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import ModelError

TERNARY_ROUNDS = 8  # after these, the step changes by less than a thousandth
EVEN = "even"
EXTREMES, LEAST_ERROR = "extremes", "least_error"  # how a range is found
SHARES = tuple(1.0 - 0.04 * place for place in range(14))  # least_error tries the extremes times 1.00 to 0.48
SIGMAS = tuple(0.67 + 0.73 / 13 * place for place in range(14))  # and the best Gaussian range times 0.67 to 1.40
MOST_HALF = 65504.0  # the largest number in fp16


@dataclass(frozen=True)
class Grid:
    """How a matrix is quantized. per: what shares a range: the tensor, a row, or `group` neighbours in a row.

    block: how many neighbouring rows share a range; with groups, those at the same position in their rows. clip:
    percent of the weights clipped at each end before rounding. fit: how a range is found: from its extremes, or as the
    candidate with the least squared error (14 if affine, else 28). half: are steps rounded to fp16, as they are stored?
    """

    bits: int
    scheme: str = "affine"  # affine | symmetric | ternary (of 2 bits) | even
    per: str = "row"  # tensor | row | group
    group: int = 128
    clip: float = 0.0
    block: int = 1
    fit: str = EXTREMES  # extremes | least_error
    half: bool = False

    @property
    def least(self) -> int:
        """The lowest code."""
        return 0 if self.scheme in ("affine", EVEN) else 1

    @property
    def top(self) -> int:
        """The highest code."""
        return 2**self.bits - 1

    @property
    def middle(self) -> int | float:
        """The code of 0 in a symmetric grid; in an even grid, the position of 0 between two codes."""
        return 2 ** (self.bits - 1) - (0.5 if self.scheme == EVEN else 0)

    @property
    def reach(self) -> tuple[float, float]:
        """The limits, in units of codes, beyond which a weight is clipped: the outermost levels.

        In an even grid, the outer cells are as wide as the others, so the limits are half a step further out.
        """
        beyond = 0.5 if self.scheme == EVEN else 0.0
        return self.least - beyond, self.top + beyond

    def nearest(self, places: Tensor) -> Tensor:
        """The codes, as floats, nearest to positions within `reach`."""
        return (places + 0.5).floor().clamp(max=self.top) if self.scheme == EVEN else places.round()

    def stored(self, step: Tensor) -> Tensor:
        """Steps rounded as in a saved file, float32."""
        return step.clamp(max=MOST_HALF).half().float() if self.half else step

    @property
    def sizes(self) -> dict[int, int]:
        """How many neighbours share a range, by axis of the matrix, where it is divided along that axis."""
        if self.per == "tensor":
            return {}
        return {0: self.block} | ({1: self.group} if self.per == "group" else {})

    def ranges(self, rows: int, columns: int) -> tuple[int, int]:
        """The shape of a tensor with one value for each range, such as the steps."""
        if self.per == "tensor":
            return 1, 1
        return -(-rows // self.block), -(-columns // self.group) if self.per == "group" else 1

    def by_range(self, matrix: Tensor) -> Tensor:
        """(rows, columns) to (*ranges, members); an incomplete last group or block repeats its last member."""
        if self.per == "tensor":
            return matrix.reshape(1, 1, -1)
        rows, columns = matrix.shape
        # No larger than the matrix, which would otherwise be filled up to the size of a group or block.
        group, block = min(self.group, columns) if self.per == "group" else columns, min(self.block, rows)
        missing = (0, -columns % group, 0, -rows % block)
        filled = F.pad(matrix.unsqueeze(0), missing, mode="replicate").squeeze(0) if any(missing) else matrix
        return filled.unflatten(1, (-1, group)).unflatten(0, (-1, block)).transpose(1, 2).flatten(2)

    def per_row(self, values: Tensor, rows: int) -> Tensor:
        """Expand values of ranges (R, G, ...) to rows, (rows or 1, G, ...); has no effect if there is one per row."""
        if self.block == 1 or len(values) in (1, rows):
            return values
        return values.repeat_interleave(min(self.block, rows), 0)[:rows]

    def per_entry(self, values: Tensor, columns: int) -> Tensor:
        """Values of ranges (R, G, ...) in a shape that broadcasts over the matrix: (R or 1, columns or 1, ...)."""
        if self.per != "group":
            return values
        return values.repeat_interleave(min(self.group, columns), 1)[:, :columns]


def encode(matrix: Tensor, grid: Grid) -> tuple[Tensor, Tensor, Tensor]:
    """Codes (rows, columns) uint8, steps and zeros (*ranges) of a finite matrix; zeros are uint8 unless even."""
    check_finite(matrix)
    step, zero = find_ranges(matrix, grid)
    return encode_in(matrix, step, zero, grid), step, zero if grid.scheme == EVEN else zero.to(torch.uint8)


def find_ranges(matrix: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Steps and zeros, both floats of shape (*ranges), of a matrix (rows, columns)."""
    for axis, size in grid.sizes.items():
        length, whole = matrix.shape[axis], matrix.shape[axis] // size * size
        if whole and whole < length:  # an incomplete last group or block is one of its own size
            parts = (matrix.narrow(axis, 0, whole), matrix.narrow(axis, whole, length - whole))
            steps, zeros = zip(*(find_ranges(part, grid) for part in parts))
            return torch.cat(steps, axis), torch.cat(zeros, axis)
    cells = grid.by_range(matrix)
    if grid.scheme == "ternary":
        step = grid.stored(_ternary_step(cells))
        return step, torch.full_like(step, grid.middle)
    low, high = _bounds(cells, grid.clip)
    if grid.fit == LEAST_ERROR:
        return _least_error(cells, low, high, grid)
    return _range_of(low, high, grid)


def _range_of(low: Tensor, high: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Steps and zeros, (*ranges), of ranges with these ends."""
    if grid.scheme in ("symmetric", EVEN):
        levels = grid.middle + 0.5 if grid.scheme == EVEN else max(grid.middle - 1, 1)
        step = grid.stored(torch.maximum(low.abs(), high.abs()) / levels)
        return step, torch.full_like(step, grid.middle)
    low, high = low.clamp(max=0.0), high.clamp(min=0.0)
    step = grid.stored((high - low) / grid.top)
    return step, torch.round(-low / divisor(step))


def _least_error(cells: Tensor, low: Tensor, high: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Steps and zeros, (*ranges), with the least squared error among scaled extremes and, unless affine, Gaussian fits.

    With extremes alone, rows with outliers would get steps that are far too wide. For Gaussian weights, the best range
    of b bits ends near 1.3 + 0.345 b standard deviations. cells: (*ranges, members); low, high: (*ranges), extremes.
    """
    found = [_range_of(low * share, high * share, grid) for share in SHARES]
    if grid.scheme != "affine":
        end = (1.3 + 0.345 * grid.bits) * cells.square().mean(-1).sqrt()
        found += [_range_of(-end * share, end * share, grid) for share in SIGMAS]
    least, step, zero = torch.full_like(low, torch.inf), *found[0]
    for one, other in found:
        places = cells / divisor(one).unsqueeze(-1) + other.unsqueeze(-1)
        codes = grid.nearest(places.clamp(*grid.reach))
        error = ((codes - other.unsqueeze(-1)) * one.unsqueeze(-1) - cells).square().sum(-1)
        is_less = error < least
        least, step, zero = (torch.where(is_less, *pair) for pair in ((error, least), (one, step), (other, zero)))
    return step, zero


def encode_in(matrix: Tensor, step: Tensor, zero: Tensor, grid: Grid) -> Tensor:
    """Codes (rows, columns), uint8, for known ranges; values outside a range get the nearest code."""
    rows, columns = matrix.shape
    steps = grid.per_entry(grid.per_row(divisor(step), rows), columns)
    zeros = grid.per_entry(grid.per_row(zero, rows), columns)
    if grid.scheme == EVEN:
        codes = grid.nearest((matrix / steps + zeros).clamp(*grid.reach))
    else:
        codes = torch.round(matrix / steps) + zeros
    return codes.clamp_(grid.least, grid.top).to(torch.uint8)


def decode(codes: Tensor, step: Tensor, zero: Tensor | float, grid: Grid) -> Tensor:
    """Decode codes to a matrix (rows, columns); zero: as `encode` returns it, or one number for all ranges."""
    rows, columns = codes.shape
    shift = grid.per_entry(grid.per_row(zero, rows), columns).float() if isinstance(zero, Tensor) else zero
    return (codes.float() - shift) * grid.per_entry(grid.per_row(step.float(), rows), columns)


def check_finite(matrix: Tensor) -> None:
    """ModelError if a weight is not finite."""
    if not bool(torch.isfinite(matrix).all()):
        raise ModelError("weights that are not finite cannot be quantized: the training before this stage diverged")


def _bounds(cells: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Minimum and maximum of each range, excluding `clip` percent of the members at each end."""
    members = cells.shape[-1]
    cut = round(members * clip / 100)
    if not cut:
        return cells.amin(-1), cells.amax(-1)
    return cells.kthvalue(cut + 1, -1).values, cells.kthvalue(members - cut, -1).values


def _ternary_step(cells: Tensor) -> Tensor:
    """The steps (*ranges) of cells (*ranges, members) with the least squared error, found in a few iterations.

    The initial threshold, 0.7 mean |weight|, is from Li, Zhang & Liu 2016, Ternary Weight Networks, arXiv 1605.04711.
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
    """The steps, or 1 if all members of a range are 0."""
    return torch.where(step > 0, step, 1.0)
