"""One vector a token from the states of all layers, learned weights or equal ones, then one a text.

    m = gamma * sum over j of s_j h_j,  s = softmax(w),  j = 0 is the embeddings' output

Learned pooling and average pooling of BERTVision (github.com/cbenge509/BERTVision, after Tenney et al. 2019), which
start w at normal(0, 0.05). The published torch version takes the softmax of the states; the weights' is meant.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.readout import counts, masked_sum

SPREAD = 0.05
WEIGHTS, POOLS = ("learned", "mean"), ("cls", "masked_mean")


class LayerMix(nn.Module):
    """The weights, `count` + 1 parameters; none for the plain mean."""

    def __init__(self, count: int, weights: str) -> None:
        super().__init__()
        if weights not in WEIGHTS:
            raise ModelError(f"model.readout.weights={weights}: expected one of {', '.join(WEIGHTS)}")
        self.weight = nn.Parameter(torch.randn(count) * SPREAD) if weights == "learned" else None
        self.gamma = nn.Parameter(torch.ones(())) if weights == "learned" else None

    def forward(self, vectors: Tensor) -> Tensor:
        """(B, count, H) to (B, H)."""
        if self.weight is None or self.gamma is None:
            return vectors.mean(1)
        return self.gamma * torch.matmul(self.weight.softmax(0), vectors.float())


class LayerPool(nn.Module):
    """The readout. The mix is linear, so texts are pooled first."""

    layers_read = "all"
    head_dropout = 0.0  # published without

    def __init__(self, hidden: int, layers: int, *, weights: str, pool: str) -> None:
        super().__init__()
        if pool not in POOLS:
            raise ModelError(f"model.readout.pool={pool}: expected one of {', '.join(POOLS)}")
        self.pool = pool
        if pool == "cls":
            self.first = 1
        self.mix = LayerMix(layers + 1, weights)

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """(B, H)."""
        if self.pool == "cls":
            vectors = [state[:, 0] for state in states]
        else:
            vectors = [masked_sum(state, mask) / counts(state, mask) for state in states]
        out: Tensor = self.mix(torch.stack(vectors, 1))
        return out
