"""Trains probes of several layers in parallel: each has its own weights, learning rate and stopping time.

Every parameter has the layers as its first axis, and the loss of a step is a sum over layers, so a layer has the same
gradient as if trained alone, and one pass over the rows serves all.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Plan:
    """When probes stop, in evaluations on the selection rows."""

    evaluations: int  # at most
    patience: int  # evaluations of a layer without a gain, after which its weights are no longer kept
    least_gain: float  # in the unit of the loss
    solved: float = -np.inf  # a loss with nothing left to gain
    factor: float = 1.0  # of a layer's learning rate, after evaluations without a gain
    factor_patience: int = 0  # so many such evaluations are let pass


def fit_side_by_side(
    probes: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    steps: Callable[[], Iterable[Tensor]],
    losses: Callable[[], np.ndarray],
) -> None:
    """Fit probes, each with the weights of its lowest loss on the selection rows.

    A layer ends as if trained alone: what it learns while others are still being fitted is discarded.

    steps: yields the losses of the steps until the next evaluation, each summed over layers; losses: those of the
    layers on the selection rows, (S,).
    """
    best, kept = losses(), copy.deepcopy(probes.state_dict())
    last_gain = best  # the loss at the last gain: many small ones in a row are a gain, too
    waited, rates = np.zeros(len(best), np.int64), np.ones(len(best), np.float32)
    for _ in range(plan.evaluations):
        has_ended = (waited >= plan.patience) | (best < plan.solved)
        if has_ended.all():
            break
        probes.train()
        for loss in steps():
            optimizer.zero_grad()
            loss.backward()
            _step(optimizer, probes, rates)
        found = losses()
        is_lowest, is_gain = (found < best) & ~has_ended, found < last_gain - plan.least_gain
        _keep(kept, probes, is_lowest)
        best, last_gain = np.where(is_lowest, found, best), np.where(is_gain, found, last_gain)
        waited = np.where(has_ended, waited, np.where(is_gain, 0, waited + 1))
        slower = (waited > 0) & (waited % (plan.factor_patience + 1) == 0)
        rates = np.where(slower, rates * plan.factor, rates).astype(np.float32)
    probes.load_state_dict(kept)


def shuffled_batches(count: int, size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the indices of at most `size` rows at a time, reshuffled in every epoch, endlessly."""
    order = np.random.default_rng(seed)
    while True:
        shuffled = order.permutation(count)
        yield from (shuffled[start : start + size] for start in range(0, count, size))


@torch.no_grad()
def _step(optimizer: torch.optim.Optimizer, probes: nn.Module, rates: np.ndarray) -> None:
    """Make a step, with each layer's share of the learning rate."""
    if (rates == 1).all():
        optimizer.step()
        return
    before = [parameter.clone() for parameter in probes.parameters()]
    optimizer.step()
    for old, parameter in zip(before, probes.parameters()):
        share = torch.from_numpy(rates).view(-1, *[1] * (parameter.dim() - 1))
        parameter.copy_(torch.lerp(old, parameter, share.expand_as(parameter)))


def _keep(kept: dict[str, Tensor], probes: nn.Module, better: np.ndarray) -> None:
    """Copy the weights of the probes that have just improved."""
    chosen = torch.from_numpy(np.flatnonzero(better))
    for name, tensor in probes.state_dict().items():
        kept[name][chosen] = tensor[chosen]
