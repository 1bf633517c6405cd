"""Elias-Fano coding: what the reader decodes, and how many bytes it takes."""

from __future__ import annotations

import numpy as np
import pytest

from models.packed.elias_fano import encode, low_bits_of
from runner.deploy.bundle.predict import decode_elias_fano


def sorted_values(count: int, bits: int) -> np.ndarray:
    """`count` different random numbers below 2^bits, ascending."""
    random = np.random.default_rng(count + bits)
    if bits <= 16:
        return np.sort(random.permutation(2**bits)[:count])
    found = np.unique(random.integers(0, 2**bits, 2 * count, np.uint64))
    return np.sort(random.permutation(found)[:count])


@pytest.mark.parametrize("bits", [1, 8, 16, 26, 32])
@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 40_000])
def test_the_reader_decodes_what_was_encoded(count: int, bits: int) -> None:
    if count > 2**bits:
        return
    values = sorted_values(count, bits)
    code = encode(values, bits)
    assert np.array_equal(decode_elias_fano(code.low, code.high, code.low_bits, count, bits), values)
    assert len(code.low) == -(-count * code.low_bits // 8)
    assert len(code.high) == -(-(count + (2**bits >> code.low_bits)) // 8)


def test_the_largest_and_the_smallest_value_are_coded() -> None:
    values = np.array([0, 2**32 - 1], np.uint64)
    code = encode(values, 32)
    assert decode_elias_fano(code.low, code.high, code.low_bits, 2, 32).tolist() == values.tolist()


def test_forty_thousand_prints_of_26_bits_take_63_kilobytes() -> None:
    code = encode(sorted_values(40_000, 26), 26)
    assert (low_bits_of(40_000, 26), len(code.low), len(code.high)) == (10, 50_000, 13_192)


@pytest.mark.parametrize("values", [[3, 3], [4, 2], [1, 256], [-1]])
def test_values_that_cannot_be_given_back_are_refused(values: list[int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        encode(np.array(values), 8)


@pytest.mark.parametrize("bits", [0, 33])
def test_bits_beyond_a_32_bit_number_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match=f"{bits} bits"):
        encode(np.array([0]), bits)
