"""Product codes: few distinct rows are exact, zero rows stay zero, bytes as said."""

from __future__ import annotations

import pytest
import torch

from models.compression.quantization.product import ProductCodes, norm_levels, product_bytes


def coded(matrix: torch.Tensor, dsub: int) -> ProductCodes:
    made = ProductCodes(*matrix.shape, dsub)
    made.fill(matrix)
    return made


def normal(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dsub", [1, 2])
def test_256_distinct_rows_of_two_numbers_are_exact_but_for_half_precision(dsub: int) -> None:
    matrix = normal(256, 2).repeat(4, 1)
    torch.testing.assert_close(coded(matrix, dsub).decode(), matrix, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("dsub", [1, 2, 4])
def test_zero_rows_stay_zero_and_fewer_numbers_a_code_are_nearer(dsub: int) -> None:
    matrix = normal(1500, 8)
    matrix[::7] = 0
    made = coded(matrix, dsub)
    assert not made.decode()[::7].any()
    error = float((made.decode() - matrix).square().mean() / matrix.square().mean())
    assert error < {1: 2e-4, 2: 0.02, 4: 0.15}[dsub]
    assert torch.equal(made.decode(torch.tensor([3, 3, 1400])), made.decode()[[3, 3, 1400]])


def test_the_codes_are_the_same_each_time_and_take_the_bytes_of_the_formula() -> None:
    first, second = (coded(normal(1500, 8), 2) for _ in range(2))
    for name, tensor in first.state_dict().items():
        assert torch.equal(second.state_dict()[name], tensor)
    stored = sum(tensor.numel() * tensor.element_size() for tensor in first.state_dict().values())
    assert stored == product_bytes(1500, 8, 2) == 1500 * 5 + 256 * 8 * 2 + 1024


def test_norms_over_many_sizes_are_off_by_a_share_of_themselves() -> None:
    norms = torch.logspace(-4, 3, 5000)
    levels, codes = norm_levels(norms)
    assert float((levels[codes.long()] / norms - 1).abs().max()) < 0.04
    levels, codes = norm_levels(torch.cat([torch.zeros(3), norms]))
    assert not levels[codes[:3].long()].any() and levels[codes[3:].long()].all()


def test_a_table_of_zeros_is_a_table_of_zeros() -> None:
    assert not coded(torch.zeros(300, 4), 2).decode().any()
