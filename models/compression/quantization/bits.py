"""Packs codes of 1 to 8 bits into bytes, so that a saved tensor takes no more space than its codes.

Each row is packed separately, so that rows of a table can be unpacked one by one. Codes of 3, 5, 6 or 7 bits are split
into parts of 4, 2 and 1 bits, and each part is stored in separate bytes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PARTS = (8, 4, 2, 1)  # bits that fill a byte evenly


def row_bytes(columns: int, bits: int) -> int:
    """Bytes of a packed row; exactly `columns` x `bits` / 8 if `columns` is a multiple of 8."""
    return sum(_bytes(columns, part) for part in PARTS if bits & part)


def pack(codes: Tensor, bits: int) -> Tensor:
    """Codes (N, columns), uint8 below 2^bits, to bytes (N, row_bytes), uint8."""
    packed, done = [], 0
    for part in PARTS:
        if bits & part:
            piece = (codes >> done) & ((1 << part) - 1)
            piece = F.pad(piece, (0, _bytes(codes.shape[1], part) * 8 // part - codes.shape[1]))
            spread = piece.unflatten(1, (-1, 8 // part)) << _shifts(part, codes.device)
            packed.append(spread.sum(2, dtype=torch.uint8))
            done += part
    return torch.cat(packed, 1)


def unpack(packed: Tensor, bits: int, columns: int) -> Tensor:
    """Bytes (N, row_bytes) back to codes (N, columns), uint8."""
    if bits == 8:
        return packed
    codes, start, done = None, 0, 0
    for part in PARTS:
        if bits & part:
            piece = packed[:, start : (start := start + _bytes(columns, part)), None] >> _shifts(part, packed.device)
            piece = (piece & ((1 << part) - 1)).flatten(1)[:, :columns]
            codes = piece if codes is None else codes | (piece << done)
            done += part
    assert codes is not None
    return codes


def _bytes(columns: int, part: int) -> int:
    return -(-columns * part // 8)


def _shifts(part: int, device: torch.device) -> Tensor:
    return torch.arange(0, 8, part, dtype=torch.uint8, device=device)
