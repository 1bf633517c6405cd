"""Optimal Brain Surgeon (OBS) on a linear layer: which columns of its weight to remove, and how to refit the others.

    minimise E||W x - W' x||^2 over W' (d_out, d_in) whose columns S are zero;  H = E[x x^T]

A group of columns belongs to a head, a single column to a neuron. They are removed one at a time, because each removal
changes the scores of correlated columns. Sources: Kurtic, Frantar & Alistarh 2023, ZipLM, arXiv 2302.04089;
IST-DASLab/OBC; the damping is from IST-DASLab/DarwinLM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf

import torch
from torch import Tensor

DAMPING = 0.01  # added to H's diagonal, as a share of the diagonal's mean
COMPACT = 256  # drop removed columns from memory after this many removals: 16 times faster for 3072 columns
EXACT = 1024  # use double precision up to this many columns


@dataclass(frozen=True)
class Removal:
    """The groups of one layer in their removal order."""

    order: list[int]
    errors: list[float]  # squared error after 0, 1, ... removals, relative to removing all: from 0 to 1

    def kept(self, count: int) -> list[int]:
        """The `count` groups that are removed last, in their original order."""
        return sorted(self.order[len(self.order) - count :])


def add_damping(weight: Tensor, hessian: Tensor, damping: float = DAMPING) -> tuple[Tensor, Tensor]:
    """The weight (d_out, d_in) and H (d_in, d_in) in double precision; H is made invertible.

    A column with a zero diagonal entry in H gets weight 0, so that it is removed first and at no cost.
    """
    weight, hessian = weight.double().clone(), hessian.double().clone()
    dead = hessian.diagonal() <= 0
    hessian.diagonal().add_(damping * hessian.diagonal().mean())
    hessian.diagonal()[dead] = 1.0
    weight[:, dead] = 0.0
    return weight, hessian


@torch.no_grad()
def removal_order(weight: Tensor, hessian: Tensor, group: int = 1) -> Removal:
    """The order in which to remove all groups of `group` columns, cheapest first; H must be positive definite."""
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian.double()))
    kind = torch.float64 if len(hessian) <= EXACT else torch.float32
    weight, inverse = weight.to(kind, copy=True), inverse.to(kind)
    names = torch.arange(len(hessian) // group, device=weight.device)
    alive = torch.ones_like(names, dtype=torch.bool)
    order, costs = list[int](), list[float]()
    for step in range(len(names)):
        if step and step % COMPACT == 0:
            columns = alive.repeat_interleave(group)
            weight, inverse = weight[:, columns], inverse[columns][:, columns]
            names, alive = names[alive], alive[alive]
        scores = _scores(weight, inverse, group).masked_fill_(~alive, inf)
        cheapest = int(scores.argmin())
        order.append(int(names[cheapest]))
        costs.append(max(0.0, float(scores[cheapest])))
        _remove(weight, inverse, slice(cheapest * group, (cheapest + 1) * group))
        alive[cheapest] = False
    return Removal(order, [error / (sum(costs) or 1.0) for error in accumulate(costs, initial=0.0)])


def _scores(weight: Tensor, inverse: Tensor, group: int) -> Tensor:
    """The squared error added by removing each group, (groups,): sum over rows of w_S (Hinv_SS)^-1 w_S^T."""
    if group == 1:
        return weight.square().sum(0) / inverse.diagonal()
    count = len(inverse) // group
    sublayers = inverse.view(count, group, count, group).diagonal(dim1=0, dim2=2).permute(2, 0, 1)
    columns = weight.view(-1, count, group).permute(1, 2, 0)
    return (columns * torch.linalg.solve(sublayers, columns)).sum((1, 2))


def _remove(weight: Tensor, inverse: Tensor, gone: slice) -> None:
    """Remove the columns in place and refit the others."""
    gain = torch.linalg.solve(inverse[gone, gone], inverse[gone])  # (group, d_in)
    for matrix in (weight, inverse):
        if len(gain) == 1:
            matrix.addr_(matrix[:, gone.start].clone(), gain[0], alpha=-1)
        else:
            matrix.addmm_(matrix[:, gone].clone(), gain, alpha=-1)
    weight[:, gone] = 0.0
    inverse[gone], inverse[:, gone] = 0.0, 0.0
    inverse.diagonal()[gone] = 1.0  # a removed group must not make its block singular


@torch.no_grad()
def refit_weight(weight: Tensor, hessian: Tensor, kept: Sequence[int], group: int = 1) -> Tensor:
    """The weight (d_out, kept x group) of the kept columns that best replaces all columns.

    The least-squares solution, W H_:K (H_KK)^-1: the same weight as after removing the others one by one.
    """
    places = group_columns(kept, group).to(hessian.device)
    if not len(places):
        return weight.new_zeros(len(weight), 0)
    towards = weight.double() @ hessian.double()[:, places]
    factor = torch.linalg.cholesky(hessian.double()[places][:, places])
    return torch.cholesky_solve(towards.T, factor).T.to(weight.dtype)


def group_columns(groups: Sequence[int], group: int) -> Tensor:
    """The column indices of these groups."""
    return (torch.tensor(groups, dtype=torch.long)[:, None] * group + torch.arange(group)).flatten()
