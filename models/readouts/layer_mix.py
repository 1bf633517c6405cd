"""A learned weighted sum of vectors with one weight per layer: ELMo's scalar mix (Peters et al. 2018, eq. 1).

    m = gamma * sum over j of s_j h_j,   s = softmax(w)

The core of BERMo's readout and of BERTVision's learned pooling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.capabilities import Observed, OwnRate
from models.errors import check_option

SPREAD = 0.05  # standard deviation of learned pooling's initial weights, as published
WEIGHTS = ("learned", "mean")


class Mix(nn.Module, Observed, OwnRate):
    """A weighted sum of layers. `start`: the initial weights; `lr`: their own learning rate, without weight decay.

    The weights stay fp32 under autocast.

    layers: the numbers of the mixed layers, for `facts`; gamma: its initial value, a tensor with one element, or None
    for no gamma; normalize: softmax, or none for unconstrained weights; layer_dropout: the share of layers to skip in a
    training step.
    """

    def __init__(
        self, start: Tensor, layers: Sequence[int], *, gamma: Tensor | None, normalize: str = "softmax",
        layer_dropout: float = 0.0, lr: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.weight, self.layers = nn.Parameter(start), layers
        self.gamma = None if gamma is None else nn.Parameter(gamma)
        self.normalize, self.layer_dropout, self.own_lr = normalize, layer_dropout, lr

    def shares(self) -> Tensor:
        """The effective weights s, (count,)."""
        weight: Tensor = self.weight
        is_softmax = self.normalize == "softmax"
        if self.training and self.layer_dropout:
            dropped = torch.rand_like(weight) < self.layer_dropout
            dropped = dropped & ~dropped.all()  # never drop all layers
            weight = weight.masked_fill(dropped, -math.inf if is_softmax else 0.0)
        return weight.softmax(0) if is_softmax else weight

    def forward(self, vectors: Tensor) -> Tensor:
        """Mix (..., count, H) into (..., H)."""
        mixed = torch.matmul(self.shares().float(), vectors.float())
        return mixed if self.gamma is None else self.gamma * mixed

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """The current weights, as the `mix/*` metrics."""
        shares = (self.weight.softmax(0) if self.normalize == "softmax" else self.weight).tolist()
        found = {f"mix/weight_{index}": share for index, share in zip(self.layers, shares)}
        found["mix/center"] = sum(index * share for index, share in zip(self.layers, shares))
        if self.normalize == "softmax":
            found["mix/entropy"] = -sum(share * math.log(share) for share in shares if share > 0)
        if self.gamma is not None:
            found["mix/gamma"] = float(self.gamma)
        return found


class MeanMix(nn.Module):
    """The plain average of layers; nothing is learned."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Average (..., count, H) to (..., H)."""
        return vectors.mean(-2)


def make_mix(count: int, weights: str) -> nn.Module:
    """Learned pooling (count + 1 parameters) or average pooling of `count` vectors; ModelError for other weights."""
    check_option(weights in WEIGHTS, "model.readout.weights", weights, f"one of {', '.join(WEIGHTS)}", "learned")
    return Mix(torch.randn(count) * SPREAD, range(count), gamma=torch.ones(())) if weights == "learned" else MeanMix()
