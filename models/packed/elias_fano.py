"""Elias-Fano coding: stores n sorted integers below 2^b in about log2(2^b / n) + 2 bits each.

Source: Elias 1974, "Efficient storage and retrieval by content and address of static files"; Fano 1971.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_BITS = 32


@dataclass(frozen=True)
class EliasFano:
    """The code of n distinct sorted integers below 2^b."""

    low: np.ndarray  # uint8: the `low_bits` lowest bits of each value, value after value, least significant bit first
    high: np.ndarray  # uint8: bit (value >> low_bits) + i is set for value i
    low_bits: int


def encode(values: np.ndarray, bits: int) -> EliasFano:
    """Encode values (n,), which must be ascending, distinct and below 2^bits.

    bits: 1 to 32. Raises ValueError for other values, since they could not be decoded.
    """
    values = np.asarray(values, np.uint64)
    count = len(values)
    if not 1 <= bits <= MOST_BITS:
        raise ValueError(f"{bits} bits a value: expected 1 to {MOST_BITS}")
    if count and (np.any(values[1:] <= values[:-1]) or int(values[-1]) >> bits):
        raise ValueError(f"the values must ascend, differ, and be below 2^{bits}")
    low_bits = low_bits_of(count, bits)
    planes = (values[:, None] >> np.arange(low_bits, dtype=np.uint64)) & np.uint64(1)
    is_set = np.zeros(count + (2**bits >> low_bits), np.uint8)
    is_set[(values >> np.uint64(low_bits)).astype(np.int64) + np.arange(count)] = 1
    return EliasFano(
        np.packbits(planes.astype(np.uint8).ravel(), bitorder="little"),
        np.packbits(is_set, bitorder="little"),
        low_bits,
    )


def low_bits_of(count: int, bits: int) -> int:
    """How many low bits of each value are stored verbatim: floor(log2(floor(2^bits / count))), at least 0."""
    return max(0, (2**bits // count).bit_length() - 1) if count else bits
