"""BERTVision's adapter pooler: a narrow linear layer and GELU on every token's state in every layer.

    z[t, j] = gelu(W h[t, j] + b),   (T, layers + 1, size)

W is shared by all layers, or each has its own. Benge et al., BERTVision (github.com/cbenge509/BERTVision, 2020-21).
Padding is ignored, so a prediction does not depend on the batch; the published heads treat padding like other tokens.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import check_option
from models.readouts.base import Readout, count_tokens, flatten_tokens, masked_sum

POOLS = ("flatten", "masked_mean", "cls", "tokens")


class AdapterPool(Readout):
    """The readout: concatenates z over tokens (flatten, as published), averages it, or returns the first or all z.

    length: the maximum number of tokens for flatten. skip: append each token's last state to its z.
    """

    layers_read = "all"
    head_dropout = 0.0  # as published

    def __init__(
        self, hidden: int, layers: int, *, size: int, pool: str, shared: bool, skip: bool, length: int
    ) -> None:
        super().__init__()
        check_option(pool in POOLS, "model.readout.pool", pool, f"one of {', '.join(POOLS)}", "flatten")
        check_option(size >= 1, "model.readout.size", size, "at least 1", 16)
        self.pool, self.skip, self.places = pool, skip, length
        self.adapter = nn.ModuleList(nn.Linear(hidden, size) for _ in range(1 if shared else layers + 1))
        self.width = (layers + 1) * size + (hidden if skip else 0)
        if pool == "cls":
            self.first = 1
        self.keeps_tokens = pool == "tokens"
        if pool == "flatten":
            self.longest = length
            self.width *= length

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """states: layers + 1 tensors (B, T, H). Returns (B, width), or (B, T, width) with pool=tokens."""
        if self.pool == "cls":
            return self.narrow([state[:, :1] for state in states])[:, 0]
        made = self.narrow(states)
        if self.pool == "tokens":
            return made
        if self.pool == "masked_mean":
            return masked_sum(made, mask) / count_tokens(made, mask)
        return flatten_tokens(made, mask, self.places)

    def narrow(self, states: list[Tensor]) -> Tensor:
        """Map every layer's states (..., H) to (..., (layers + 1) x size), plus H with the skip connection."""
        layers = range(len(states))
        made = [F.gelu(self.adapter[j % len(self.adapter)](states[j])) for j in layers]
        return torch.cat([*made, states[-1]] if self.skip else made, -1)
