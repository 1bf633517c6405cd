"""Codes packed into bytes."""

from __future__ import annotations

import pytest
import torch

from models.compression.quantization.bits import pack, row_bytes, unpack


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("columns", [1, 7, 64])
def test_packed_codes_come_back_and_take_their_bits(bits: int, columns: int) -> None:
    codes = torch.randint(0, 2**bits, (5, columns), dtype=torch.uint8, generator=torch.Generator().manual_seed(bits))
    packed = pack(codes, bits)
    assert torch.equal(unpack(packed, bits, columns), codes)
    assert packed.shape == (5, row_bytes(columns, bits))
    if columns % 8 == 0:
        assert packed.numel() * 8 == codes.numel() * bits
