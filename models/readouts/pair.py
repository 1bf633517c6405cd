"""Represents two texts as [u, v, |u - v|, u * v], with the means u and v of their word vectors; without attention.

Source of the four parts: Conneau et al. 2017 (InferSent, arXiv 1705.02364). The layer norm is ours: for small vectors,
u * v would be negligible next to u.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.dropout import Dropout
from models.errors import check_option
from models.readouts.base import Readout

PARTS = 4  # u, v, |u - v|, u * v


class Pair(Readout):
    """The readout. Its options are those of conf/model/readout/pair.yaml."""

    texts = 2

    def __init__(self, hidden: int, layers: int, *, norm: str, size: int | None, dropout: float) -> None:
        super().__init__()
        check_option(norm in ("layer", "none"), "model.readout.norm", norm, "layer or none", "layer")
        check_option(size is None or size >= 1, "model.readout.size", size, "null or at least 1", 128)
        check_option(0.0 <= dropout < 1.0, "model.readout.dropout", dropout, "at least 0 and less than 1", 0.2)
        self.norm = nn.LayerNorm(hidden) if norm == "layer" else nn.Identity()
        self.narrow = nn.Identity() if size is None else nn.Linear(PARTS * hidden, size)
        self.dropout = Dropout(dropout)  # before the hidden layer; if there is none, only the head has dropout
        self.head_dropout = dropout
        self.width = PARTS * hidden if size is None else size

    def forward(self, hidden: Tensor, mask: Tensor | None, segments: Tensor | None = None) -> Tensor:
        """Map (B, T, H) to (B, width); segments: (B, T), 1 for tokens of the second text, None if there is none."""
        real = hidden.new_ones(hidden.shape[:2]) if mask is None else mask.to(hidden.dtype)
        weights = text_weights(real, segments)
        return self.from_sums(torch.bmm(weights, hidden), weights.sum(-1, keepdim=True))

    def from_sums(self, summed: Tensor, tokens: Tensor) -> Tensor:
        """Compute (B, width) from the sum of each text's vectors, (B, 2, H), and its number of tokens, (B, 2, 1).

        A text without tokens has the mean 0.
        """
        means: Tensor = self.norm(summed / tokens.clamp(min=1))
        first, second = means.unbind(1)
        parts = torch.cat([first, second, (first - second).abs(), first * second], -1)
        if isinstance(self.narrow, nn.Identity):
            return parts
        return F.relu(self.narrow(self.dropout(parts)))


def text_weights(weights: Tensor, segments: Tensor | None) -> Tensor:
    """Each token's weight in the sums over the first and the second text, (B, 2, T); weights, segments: (B, T)."""
    second = torch.zeros_like(weights) if segments is None else weights * segments.to(weights.dtype)
    return torch.stack([weights - second, second], 1)
