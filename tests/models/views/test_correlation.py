"""Canonical correlation: golden values, invariance, gradients, independent views by batch size, collapsed views."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.errors import ModelError
from models.views.correlation import canonical_correlations, correlation_loss, projections

T = torch.arange(64, dtype=torch.float64)
A = torch.stack([(0.7 * T).sin(), (0.3 * T).cos(), (1.9 * T + 1).sin()], dim=1)
B = torch.stack([(0.7 * T).sin() + 0.5 * (2.3 * T).cos(), (0.31 * T).cos(), (1.1 * T).sin()], dim=1)


def correlation(first: Tensor, second: Tensor, k: int = 3, ridge: float = 0.0) -> float:
    return -float(correlation_loss(first, second, k, ridge))


def normal(rows: int, width: int, seed: int) -> Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


# Computed apart from this code, with symmetric square roots.
@pytest.mark.parametrize(
    ("k", "ridge", "expected"),
    [(3, 0, 1.837374), (3, 1e-4, 1.837193), (3, 1e-2, 1.819454), (1, 0, 0.941444), (1, 1e-4, 0.941349),
     (1, 1e-2, 0.931961)],
)  # fmt: skip
def test_golden_values(k: int, ridge: float, expected: float) -> None:
    assert correlation(A, B, k, ridge) == pytest.approx(expected, abs=5e-7)


def test_correlations_are_those_of_symmetric_square_roots() -> None:
    def root(view: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(torch.cov(view.mT))
        return vectors @ torch.diag(values.rsqrt()) @ vectors.mT

    between = (A - A.mean(0)).mT @ (B - B.mean(0)) / (len(A) - 1)
    expected = torch.linalg.svdvals(root(A) @ between @ root(B))
    torch.testing.assert_close(canonical_correlations(A, B, 0.0), expected, rtol=0, atol=1e-12)


def test_the_gradient_is_the_golden_one_and_moves_no_mean() -> None:
    first = A.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(-correlation_loss(first, B, 3, 1e-4), first)
    torch.testing.assert_close(gradient[0], torch.tensor([0.013224, 0.000747, -0.000104]).double(), rtol=0, atol=1e-6)
    assert gradient.sum(0).abs().max() < 1e-15
    few = (A[:24].clone().requires_grad_(), B[:24].clone().requires_grad_())
    assert torch.autograd.gradcheck(lambda one, other: correlation_loss(one, other, 2, 1e-4), few)


def test_equal_and_permuted_views_correlate_in_all_dimensions_with_a_finite_gradient() -> None:
    first = A.clone().requires_grad_()
    loss = correlation_loss(first, A, 3, 1e-4)
    (gradient,) = torch.autograd.grad(loss, first)
    assert -float(loss.detach()) == pytest.approx(2.999700, abs=5e-7) and gradient.isfinite().all()
    assert correlation(A, A) == pytest.approx(3, abs=1e-12)
    assert correlation(A, A[:, [2, 0, 1]]) == pytest.approx(3, abs=1e-12)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    assert correlation(A[order], B[order]) == pytest.approx(correlation(A, B), abs=1e-12)


def test_an_invertible_map_and_a_shift_change_nothing() -> None:
    mixed = A @ torch.tensor([[2.0, 1, 0], [0, -0.5, 3], [1, 0, 1]]).double() + 7
    assert correlation(mixed, B) == pytest.approx(correlation(A, B), abs=1e-12)


@pytest.mark.parametrize(("rows", "expected"), [(32, 20.0), (64, 17.1), (256, 8.4), (1024, 4.2)])
def test_independent_views_seem_to_correlate_in_few_rows(rows: int, expected: float) -> None:
    found = [correlation(normal(rows, 32, 2 * i), normal(rows, 32, 2 * i + 1), 20, 1e-4) for i in range(4)]
    assert sum(found) / len(found) == pytest.approx(expected, abs=0.3)


def test_a_thousand_batches_have_finite_gradients() -> None:
    for seed in range(1000):
        first = normal(32, 4, seed).requires_grad_()
        second = (first.detach() if seed % 3 == 0 else normal(32, 4, seed + 5000)) * 10.0 ** (seed % 9 - 4)
        (gradient,) = torch.autograd.grad(correlation_loss(first, second, 3, 1e-4), first)
        assert gradient.isfinite().all()


def test_projections_are_uncorrelated_but_for_their_partners_in_the_other_view() -> None:
    maps = projections(A, B, 2, 1e-6)
    first, second = maps[0](A.float()), maps[1](B.float())
    assert [one.weight.shape for one in maps] == [(2, 3), (2, 3)] and maps[0].weight.dtype == torch.float32
    found = torch.cov(torch.cat([first, second], dim=1).mT)
    partners = torch.diag(canonical_correlations(A, B, 1e-6)[:2]).float()
    expected = torch.cat([torch.cat([torch.eye(2), partners], 1), torch.cat([partners, torch.eye(2)], 1)])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(first.mean(0), torch.zeros(2), rtol=0, atol=1e-5)
    assert not maps[0].weight.isnan().any() and maps[0].weight.requires_grad


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_view_that_does_not_vary_is_named(value: float) -> None:
    constant = torch.full((64, 3), value)
    with pytest.raises(ModelError, match="encoder of the texts has collapsed"):
        correlation_loss(constant, B, 3, 1e-4)
    with pytest.raises(ModelError, match="encoder of the codes has collapsed"):
        correlation_loss(A, constant, 3, 1e-4)
    with pytest.raises(ModelError, match="encoder of the codes are not finite"):
        correlation_loss(A, constant * float("nan"), 3, 1e-4)


def test_without_a_ridge_one_dimension_that_does_not_vary_is_enough() -> None:
    flat = torch.cat([A[:, :2], A[:, :1]], dim=1)
    assert correlation(flat, B, 3, 1e-4) > 1
    with pytest.raises(ModelError, match="texts has collapsed"):
        correlation_loss(torch.cat([A[:, :2], torch.zeros(64, 1)], dim=1), B, 3, 0.0)
