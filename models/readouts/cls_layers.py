"""Readouts that combine the first token's vector in every layer with BERT's pooled vector: (B, layers + 2, H).

BERTVision's heads for answer / no answer (github.com/cbenge509/BERTVision, 2020), with their published names:
"tenney small" is weights=learned size=null; "adapter pooler tenney" and "adapter pooler mean" are weights=learned
and weights=mean with size=386.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import check_option
from models.readouts.base import Readout
from models.readouts.layer_mix import make_mix


class FirstTokens(Readout):
    """Base class: computes the vectors that these readouts use. `dense` is BERT's pooler, frozen as published."""

    layers_read = "all"
    first = 1
    head_dropout = 0.0  # as published

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden).requires_grad_(False)

    def vectors(self, states: list[Tensor]) -> Tensor:
        """Stack the vectors, (B, layers + 2, H): the embeddings' output first, the pooled vector last."""
        pooled = torch.tanh(self.dense(states[-1][:, 0]))
        return torch.stack([*(state[:, 0] for state in states), pooled], 1)


class ClsLayers(FirstTokens):
    """The readout: a weighted sum of the vectors; with `size`, it is projected and the pooled vector appended."""

    def __init__(self, hidden: int, layers: int, *, weights: str, size: int | None) -> None:
        super().__init__(hidden)
        is_good = size is None or size >= 1
        check_option(is_good, "model.readout.size", size, "at least 1, or null for no adapter", "null")
        self.mix = make_mix(layers + 2, weights)
        self.adapter = None if size is None else nn.Linear(hidden, size)
        self.width = hidden if size is None else size + hidden

    def forward(self, states: list[Tensor], mask: Tensor | None) -> Tensor:
        """states: layers + 1 tensors (B, T, H). Returns (B, H), or (B, size + H) with the adapter."""
        vectors = self.vectors(states)
        mixed: Tensor = self.mix(vectors)
        return mixed if self.adapter is None else torch.cat([F.gelu(self.adapter(mixed)), vectors[:, -1]], 1)
