"""Canonical correlation analysis of two views: as a loss, as a metric, and as the two linear maps that achieve it.

It measures how far linear maps can correlate the outputs of two encoders for the same rows (Andrew et al. 2013, Deep
canonical correlation analysis). Everything is computed in float64: in float32, covariances of 32 dimensions are too
imprecise for a Cholesky decomposition with a small ridge.

The correlations are the singular values of La^-1 Sab Lb^-T, where La and Lb are Cholesky factors. Symmetric square
roots would give the same singular values, but the gradient of the eigendecomposition is infinite if two eigenvalues
are equal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.errors import ModelError

VIEWS = ("texts", "codes")  # as messages name them
# Ratio of variance to mean square up to which float32 outputs differ by rounding alone (eps squared: 1.4e-14).
ROUNDING = 1e-12


def canonical_correlations(first: Tensor, second: Tensor, ridge: float) -> Tensor:
    """Return the canonical correlations of two views of the same rows, (d,) float64, in descending order.

    first, second: (N, d) outputs of the text encoder and of the code encoder; ridge: added to the variances, relative
    to their mean. With few rows the correlations are too high: for independent normal views of 32 dimensions, the 20
    largest sum up to 20.0 with 32 rows, 17.1 with 64, 8.4 with 256, 4.2 with 1,024. Raises ModelError for a constant
    or non-finite view.
    """
    return torch.linalg.svdvals(_whitened(first, second, ridge)[0])


def correlation_loss(first: Tensor, second: Tensor, k: int, ridge: float) -> Tensor:
    """Return minus the sum of the k largest canonical correlations; see `canonical_correlations`."""
    return -canonical_correlations(first, second, ridge)[:k].sum()


def projections(first: Tensor, second: Tensor, k: int, ridge: float) -> tuple[nn.Linear, nn.Linear]:
    """Return a linear map for each view, d to k, float32, whose outputs have the k largest canonical correlations.

    first, second: as in `canonical_correlations`, for all training rows. The outputs have mean 0 and, apart from the
    ridge, variance 1.
    """
    with torch.no_grad():
        product, *views = _whitened(first, second, ridge)
        left, _, right = torch.linalg.svd(product)
        directions = left[:, :k], right.mT[:, :k]
        return _linear(*views[0], directions[0]), _linear(*views[1], directions[1])


View = tuple[Tensor, Tensor]  # mean (d,) and lower Cholesky factor (d, d) of the covariance


def _whitened(first: Tensor, second: Tensor, ridge: float) -> tuple[Tensor, View, View]:
    """Return the cross-covariance of the whitened views, and the mean and Cholesky factor that whiten each view."""
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
    """Return the lower Cholesky factor (d, d) of the covariance with ridge; ModelError for a degenerate view."""
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
            "or all dimensions. Try: a lower view.lr, or a higher view.ridge"
        )
    return factor


def _linear(mean: Tensor, factor: Tensor, directions: Tensor) -> nn.Linear:
    """Return the linear map that projects a view on these directions (d, k) of its whitened coordinates."""
    weight = torch.linalg.solve_triangular(factor.mT, directions, upper=True).mT
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        linear.weight.copy_(weight)
        linear.bias.copy_(-weight @ mean)
    return linear
