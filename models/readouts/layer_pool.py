"""Averages the states of all layers with learned or equal weights: for the first token, the whole text, or each token.

These are the learned and average pooling of BERTVision (github.com/cbenge509/BERTVision, after Tenney et al. 2019),
with w drawn from normal(0, 0.05). The published torch version applies the softmax to the states by mistake; here it is
applied to the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.errors import check_option
from models.readouts.base import Readout, count_tokens, masked_sum
from models.readouts.layer_mix import make_mix

POOLS = ("cls", "masked_mean", "tokens")


class LayerPool(Readout):
    """The readout. The mix is linear, so each layer is pooled over the text before layers are mixed."""

    layers_read = "all"
    head_dropout = 0.0  # as published

    def __init__(self, hidden: int, layers: int, *, weights: str, pool: str) -> None:
        super().__init__()
        check_option(pool in POOLS, "model.readout.pool", pool, f"one of {', '.join(POOLS)}", "cls")
        self.pool = pool
        if pool == "cls":
            self.first = 1
        self.keeps_tokens = pool == "tokens"
        self.mix = make_mix(layers + 1, weights)

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """states: layers + 1 tensors (B, T, H). Returns (B, H), or (B, T, H) with pool=tokens."""
        if self.pool == "tokens":
            vectors = states
        elif self.pool == "cls":
            vectors = [state[:, 0] for state in states]
        else:
            vectors = [masked_sum(state, mask) / count_tokens(state, mask) for state in states]
        out: Tensor = self.mix(torch.stack(vectors, -2))
        return out
