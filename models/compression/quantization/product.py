"""Product quantization: rows are split into parts of a few values, and each part is replaced by one of 256 centres.

Rows are first divided by their norms, which are stored separately in one byte each. Zero rows stay zero. This follows
fastText (Joulin et al. 2016, arXiv 1612.03651), but with levels evenly spaced in the logarithm of the norm.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.compression.quantization.coded import CodedRows
from models.compression.quantization.grid import check_finite

CENTRES, LEVELS = 256, 256  # centres per part, levels of the norms: one byte each
ROUNDS, SAMPLE, SEED = 25, 65_536, 0  # of k-means: iterations and maximum rows as in fastText, and the seed


class ProductCodes(CodedRows):
    """A matrix (rows, columns) stored as product codes; all zero until filled or loaded."""

    codes: Tensor  # (rows, parts) uint8: the centre of each part
    norms: Tensor  # (rows,) uint8: the level of each row's norm
    centres: Tensor  # (parts, CENTRES, dsub) float16
    levels: Tensor  # (LEVELS,) float32

    def __init__(self, rows: int, columns: int, dsub: int) -> None:
        """dsub: values per part; it must divide `columns`."""
        super().__init__()
        self.rows, self.columns, self.dsub, parts = rows, columns, dsub, columns // dsub
        self.register_buffer("codes", torch.zeros(rows, parts, dtype=torch.uint8))
        self.register_buffer("norms", torch.zeros(rows, dtype=torch.uint8))
        self.register_buffer("centres", torch.zeros(parts, CENTRES, dsub, dtype=torch.float16))
        self.register_buffer("levels", torch.zeros(LEVELS))

    @torch.no_grad()
    def fill(self, matrix: Tensor) -> None:
        """Quantize a finite matrix (rows, columns)."""
        check_finite(matrix)
        norms = matrix.norm(dim=1)
        self.levels, self.norms = norm_levels(norms)
        rows = (matrix / torch.where(norms > 0, norms, 1.0)[:, None]).unflatten(1, (-1, self.dsub))
        real = rows[norms > 0]
        generator = torch.Generator().manual_seed(SEED)
        found, codes = [], []
        for part in range(rows.shape[1]):
            points = real[:, part]
            if len(points) > SAMPLE:
                points = points[torch.randperm(len(points), generator=generator)[:SAMPLE].to(points.device)]
            found.append(find_centres(points, generator).to(torch.float16))
            codes.append(nearest(rows[:, part], found[-1].to(rows.dtype)).to(torch.uint8))
        self.centres, self.codes = torch.stack(found), torch.stack(codes, 1)

    def decode(self, chosen: Tensor | slice = slice(None)) -> Tensor:
        """The chosen rows, (N, columns) float32; other rows are not decoded."""
        codes = self.codes[chosen].long()
        parts = self.centres.float()[torch.arange(codes.shape[1], device=codes.device), codes]
        return parts.flatten(1) * self.levels[self.norms[chosen].long()][:, None]


def product_bytes(rows: int, columns: int, dsub: int) -> int:
    """Bytes of a matrix stored as product codes."""
    return rows * (columns // dsub + 1) + CENTRES * columns * 2 + LEVELS * 4


def norm_levels(norms: Tensor) -> tuple[Tensor, Tensor]:
    """The levels (LEVELS,) float32 and each row's level, uint8, for norms (rows,).

    Exact if there are no more distinct norms than levels. Otherwise, levels are evenly spaced on a logarithmic scale,
    with a separate level for 0 if a row is zero.
    """
    distinct = norms.unique()
    if len(distinct) <= LEVELS:
        levels = torch.cat([distinct, distinct[-1:].expand(LEVELS - len(distinct))]).float()
        return levels, torch.searchsorted(distinct, norms).to(torch.uint8)
    real, zeros = norms[norms > 0], int((norms == 0).any())
    low, high = float(real.min().log()), float(real.max().log())
    levels = torch.linspace(low, high, LEVELS - zeros, device=norms.device).exp()
    places = (norms.clamp(min=real.min()).log() - low) / (high - low) * (LEVELS - zeros - 1)
    codes = torch.where(norms > 0, places.round() + zeros, 0.0)
    return torch.cat([levels.new_zeros(zeros), levels]).float(), codes.clamp(0, LEVELS - 1).to(torch.uint8)


def find_centres(points: Tensor, generator: torch.Generator) -> Tensor:
    """The k-means centres (CENTRES, dsub) of points (N, dsub), or the distinct points if there are at most CENTRES."""
    distinct = points.unique(dim=0)
    if not len(distinct):
        return points.new_zeros(CENTRES, points.shape[1])
    if len(distinct) <= CENTRES:
        return torch.cat([distinct, distinct[-1:].expand(CENTRES - len(distinct), -1)])
    centres = distinct[torch.randperm(len(distinct), generator=generator)[:CENTRES].to(points.device)]
    for _ in range(ROUNDS):
        owners = nearest(points, centres)
        counts = torch.bincount(owners, minlength=CENTRES)
        sums = torch.zeros_like(centres).index_add_(0, owners, points)
        centres = torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], centres)
    return centres


def nearest(points: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre of each point, (N,) int64; chunks of 8,192 points fit into the CPU cache."""
    sizes = centres.square().sum(1) / 2
    return torch.cat([(sizes - chunk @ centres.T).argmin(1) for chunk in points.split(8192)])
