"""Codes as bytes: five of three levels to a byte, others bit by bit."""

from __future__ import annotations

import pytest
import torch

from models.compression.quantization.grid import Grid
from models.compression.quantization.packing import code_bytes, pack, unpack

GRIDS = [Grid(2, "ternary"), Grid(4), Grid(3, "symmetric"), Grid(8)]


@pytest.mark.parametrize("grid", GRIDS, ids=["ternary", "int4", "int3", "int8"])
@pytest.mark.parametrize("columns", [1, 5, 9, 64])
def test_codes_come_back_from_their_bytes(grid: Grid, columns: int) -> None:
    codes = torch.randint(grid.least, grid.top + 1, (7, columns), dtype=torch.uint8)
    packed = pack(codes, grid)
    assert packed.dtype == torch.uint8 and packed.shape == (7, code_bytes(columns, grid))
    assert torch.equal(unpack(packed, columns, grid), codes)


def test_three_levels_take_a_fifth_of_a_byte() -> None:
    assert code_bytes(128, Grid(2, "ternary")) == 26 and code_bytes(128, Grid(2)) == 32
