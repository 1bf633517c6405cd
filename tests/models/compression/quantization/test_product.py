"""Product codes: few distinct rows are exact, zero rows stay zero, bytes as said."""

from __future__ import annotations

import pytest
import torch

from models.compression.quantization import product
from models.compression.quantization.product import ProductCodes, norm_levels, product_bytes
from models.errors import ModelError


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


def test_the_levels_reach_from_the_smallest_norm_to_the_largest_and_only_a_zero_row_takes_one() -> None:
    norms = torch.logspace(-2, 2, 1000, dtype=torch.float64)
    for rows, first in ((norms, 0), (torch.cat([torch.zeros(2), norms]), 1)):
        levels, codes = norm_levels(rows)
        assert len(levels) == 256 and bool((levels[:first] == 0).all()) and bool((levels[first:] > 0).all())
        assert [float(levels[first]), float(levels[-1])] == pytest.approx([0.01, 100.0])
        real = codes[rows > 0]
        assert (int(real[0]), int(real[-1])) == (first, 255) and bool((real.diff() >= 0).all())
        ratios = levels[first:].log().diff()
        torch.testing.assert_close(ratios, torch.full_like(ratios, float(ratios.mean())), rtol=1e-3, atol=0)


def test_zero_rows_take_no_centre_from_the_others() -> None:
    angles = torch.arange(256) * 2 * torch.pi / 256  # a centre that two neighbours shared would be off by 0.012
    matrix = torch.cat([torch.stack([angles.cos(), angles.sin()], 1), torch.zeros(40, 2)])
    torch.testing.assert_close(coded(matrix, 2).decode(), matrix, rtol=0, atol=2e-3)


def test_centres_are_found_on_a_sample_of_a_large_table(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, find = list[int](), product.find_centres

    def counting(points: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seen.append(len(points.unique(dim=0)))
        return find(points, generator)

    monkeypatch.setattr(product, "find_centres", counting)
    monkeypatch.setattr(product, "SAMPLE", 900)
    matrix = normal(1500, 8)
    found = coded(matrix, 4).decode()
    assert seen == [900, 900]
    assert float((found - matrix).square().mean() / matrix.square().mean()) < 0.2


def test_weights_that_are_not_finite_are_refused() -> None:
    matrix = normal(300, 4)
    matrix[7, 1] = torch.inf
    with pytest.raises(ModelError, match="not finite"):
        coded(matrix, 2)


def test_a_table_of_zeros_is_a_table_of_zeros() -> None:
    assert not coded(torch.zeros(300, 4), 2).decode().any()
