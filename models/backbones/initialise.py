"""Weight initialisation, as in BERT."""

from __future__ import annotations

import torch
from torch import nn

from models.embeddings.base import WordVectors


@torch.no_grad()
def init_weights(model: nn.Module, spread: float) -> None:
    """Draw matrices and tables from normal(0, spread), as BERT does; set biases and the padding row to zero.

    Word vectors may override the spread for a table.
    """
    own: dict[nn.Module, float] = {}
    for module in model.modules():
        if isinstance(module, WordVectors):
            own |= module.own_spreads()
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(0.0, own.get(module, spread))
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.zero_()
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()
