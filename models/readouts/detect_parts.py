"""BERTVision's DetectParts head: every state plus a learned depth vector, projected, normalised and flattened.

    z[t, j] = norm(swish(W (h[t, j] + e[j]) + b)),   (T, layers + 1, size);   then gelu, dropout and the linear head

The code is published (github.com/cbenge509/BERTVision, 2021), results are not. Here, padding is ignored.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import check_option
from models.readouts.base import Readout, flatten_tokens

SPREAD = 0.02  # standard deviation of the initial depth vectors, as for BERT's embeddings


class DetectParts(Readout):
    """The readout, for texts of up to `length` tokens; `dropout` applies to its vector, before the linear head."""

    layers_read = "all"

    def __init__(self, hidden: int, layers: int, *, size: int, dropout: float, length: int) -> None:
        super().__init__()
        check_option(size >= 1, "model.readout.size", size, "at least 1", 128)
        check_option(0.0 <= dropout < 1.0, "model.readout.dropout", dropout, "at least 0 and less than 1", 0.0)
        self.depth = nn.Parameter(torch.randn(layers + 1, hidden) * SPREAD)
        self.dense = nn.Linear(hidden, size)
        self.norm = nn.LayerNorm(size)
        self.head_dropout, self.longest, self.places = dropout, length, length
        self.width = length * (layers + 1) * size

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """states: layers + 1 tensors (B, T, H). Returns (B, length x (layers + 1) x size)."""
        made = F.silu(self.dense(torch.stack(states, 2) + self.depth))
        return flatten_tokens(F.gelu(self.norm(made)).flatten(2), mask, self.places)
