"""Canonical correlation of two views, as a loss, as a measure, and as the two maps that lead to it.

The outputs of two encoders for the same rows are correlated as far as any linear maps of both can make them (Andrew et
al. 2013, Deep canonical correlation analysis). Everything is in float64: covariances of 32 dimensions are too coarse in
float32 for a Cholesky decomposition with a small ridge.

The correlations are the singular values of La^-1 Sab Lb^-T, where La and Lb are Cholesky factors, and not of the
product with symmetric square roots: those have the same singular values, but the gradient of an eigendecomposition is
infinite where two eigenvalues are equal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.errors import ModelError

VIEWS = ("texts", "codes")  # as messages name them
ROUNDING = (
    1e-12  # variance over mean square below which outputs of float32 differ by rounding alone (eps squared: 1.4e-14)
)


def canonical_correlations(first: Tensor, second: Tensor, ridge: float) -> Tensor:
    """Return the canonical correlations of two views of the same rows, (d,) float64, the largest first.

    first, second: (N, d) outputs of the texts' and of the codes' encoder; ridge: added to the variances, relative to
    their mean. Of few rows the correlations are too high: 20 of 32 dimensions of independent normal views sum up to
    20.0 in 32 rows, 17.1 in 64, 8.4 in 256, 4.2 in 1,024. Raises ModelError for a view that does not vary.
    """
    return torch.linalg.svdvals(_whitened(first, second, ridge)[0])


def correlation_loss(first: Tensor, second: Tensor, k: int, ridge: float) -> Tensor:
    """Return minus the sum of the k largest canonical correlations, which `canonical_correlations` explains."""
    return -canonical_correlations(first, second, ridge)[:k].sum()


def projections(first: Tensor, second: Tensor, k: int, ridge: float) -> tuple[nn.Linear, nn.Linear]:
    """Return the maps of both views, d to k, float32, whose outputs have the k largest canonical correlations.

    first, second: as in `canonical_correlations`, of all training rows. The outputs have the mean 0 and, but for the
    ridge, the variance 1.
    """
    with torch.no_grad():
        product, *views = _whitened(first, second, ridge)
        left, _, right = torch.linalg.svd(product)
        directions = left[:, :k], right.mT[:, :k]
        return _linear(*views[0], directions[0]), _linear(*views[1], directions[1])


View = tuple[Tensor, Tensor]  # mean (d,) and lower Cholesky factor (d, d) of the covariance


def _whitened(first: Tensor, second: Tensor, ridge: float) -> tuple[Tensor, View, View]:
    """Return the covariance of both views in coordinates in which each has the covariance I, and how to get there."""
    means, centred, factors = [], [], []
    for name, view in zip(VIEWS, (first, second)):
        values = view.double()
        means.append(values.mean(dim=0))
        centred.append(values - means[-1])
        factors.append(_factor(values, centred[-1], ridge, name))
    between = centred[0].mT @ centred[1] / (len(first) - 1)
    half = torch.linalg.solve_triangular(factors[0], between, upper=False)
    product = torch.linalg.solve_triangular(factors[1], half.mT, upper=False).mT
    return product, (means[0], factors[0]), (means[1], factors[1])


def _factor(values: Tensor, centred: Tensor, ridge: float, name: str) -> Tensor:
    """Return the lower Cholesky factor (d, d) of the covariance with its ridge; ModelError if the view is constant."""
    covariance = centred.mT @ centred / (len(centred) - 1)
    mean_variance = covariance.diagonal().mean()
    if not torch.isfinite(mean_variance):
        raise ModelError(f"the outputs of the encoder of the {name} are not finite. Try: a lower view.lr")
    factor, failed = torch.linalg.cholesky_ex(
        covariance + ridge * mean_variance * torch.eye(len(covariance), dtype=values.dtype, device=values.device)
    )
    if failed or mean_variance <= ROUNDING * values.square().mean():
        raise ModelError(
            f"the encoder of the {name} has collapsed: its outputs for {len(values):,} rows are the same in some "
            "dimensions or in all. Try: a lower view.lr, or a higher view.ridge"
        )
    return factor


def _linear(mean: Tensor, factor: Tensor, directions: Tensor) -> nn.Linear:
    """Return the map of a view on these directions (d, k) of its whitened coordinates."""
    weight = torch.linalg.solve_triangular(factor.mT, directions, upper=True).mT
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(weight)
        linear.bias.copy_(-weight @ mean)
    return linear
