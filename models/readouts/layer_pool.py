"""One vector a token from the states of all layers, learned weights or equal ones, then one a text.

Learned pooling and average pooling of BERTVision (github.com/cbenge509/BERTVision, after Tenney et al. 2019), which
start w at normal(0, 0.05). The published torch version takes the softmax of the states; the weights' is meant.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.errors import ModelError
from models.readouts.base import Readout, count_tokens, masked_sum
from models.readouts.layer_mix import make_mix

POOLS = ("cls", "masked_mean")


class LayerPool(Readout):
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
        self.mix = make_mix(layers + 1, weights)

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """(B, H)."""
        if self.pool == "cls":
            vectors = [state[:, 0] for state in states]
        else:
            vectors = [masked_sum(state, mask) / count_tokens(state, mask) for state in states]
        out: Tensor = self.mix(torch.stack(vectors, 1))
        return out
