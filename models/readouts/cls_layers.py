"""Heads on the first token's vector of every layer and on BERT's pooled one: (B, layers + 2, H).

BERTVision's heads for answer / no answer (github.com/cbenge509/BERTVision, 2020), with their published names:
"tenney small" is weights=learned size=null; "adapter pooler tenney" and "adapter pooler mean" are weights=learned
and weights=mean with size=386.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ModelError
from models.readouts.base import Readout
from models.readouts.layer_mix import make_mix


class FirstTokens(Readout):
    """The vectors that the heads read. `dense` is BERT's pooler: the encoder's, and frozen as published."""

    layers_read = "all"
    first = 1
    head_dropout = 0.0  # published without

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden).requires_grad_(False)

    def vectors(self, states: list[Tensor]) -> Tensor:
        """(B, layers + 2, H): the embeddings' first, the pooled one last."""
        pooled = torch.tanh(self.dense(states[-1][:, 0]))
        return torch.stack([*(state[:, 0] for state in states), pooled], 1)


class ClsLayers(FirstTokens):
    """One weighted sum of them, narrowed by an adapter beside the pooled vector if `size` says so."""

    def __init__(self, hidden: int, layers: int, *, weights: str, size: int | None) -> None:
        super().__init__(hidden)
        if size is not None and size < 1:
            raise ModelError(f"model.readout.size={size}: expected at least 1, or null for no adapter")
        self.mix = make_mix(layers + 2, weights)
        self.adapter = None if size is None else nn.Linear(hidden, size)
        self.width = hidden if size is None else size + hidden

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """(B, H), or (B, size + H) with the adapter."""
        vectors = self.vectors(states)
        mixed: Tensor = self.mix(vectors)
        return mixed if self.adapter is None else torch.cat([F.gelu(self.adapter(mixed)), vectors[:, -1]], 1)
