"""Packs a grid's codes into bytes: ternary codes five to a byte (1.6 bits each), all others bit by bit."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.compression.quantization import bits
from models.compression.quantization.grid import Grid

TRITS = 5  # per byte: 3^5 = 243


def code_bytes(columns: int, grid: Grid) -> int:
    """Bytes of a packed row."""
    return -(-columns // TRITS) if grid.scheme == "ternary" else bits.row_bytes(columns, grid.bits)


def pack(codes: Tensor, grid: Grid) -> Tensor:
    """Codes (N, columns) to bytes (N, code_bytes), uint8."""
    if grid.scheme != "ternary":
        return bits.pack(codes, grid.bits)
    trits = F.pad(codes - grid.least, (0, -codes.shape[1] % TRITS)).unflatten(1, (-1, TRITS))
    return (trits * _powers(codes.device)).sum(2, dtype=torch.uint8)


def unpack(packed: Tensor, columns: int, grid: Grid) -> Tensor:
    """Bytes (N, code_bytes) back to codes (N, columns), uint8."""
    if grid.scheme != "ternary":
        return bits.unpack(packed, grid.bits, columns)
    trits = packed.unsqueeze(2) // _powers(packed.device) % 3
    return trits.flatten(1)[:, :columns] + grid.least


def _powers(device: torch.device) -> Tensor:
    return 3 ** torch.arange(TRITS, dtype=torch.uint8, device=device)
