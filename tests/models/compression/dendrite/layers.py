"""Linear layers with dendrites, for tests."""

from __future__ import annotations

import torch
from torch import nn

from models.compression.dendrite.module import (
    Dendritic,
    add_dendrites,
)


def head(count: int, inputs: int = 16, outputs: int = 2, act: str = "sigmoid") -> Dendritic:
    """A layer with `count` dendrites whose weights are all drawn, those towards the soma too."""
    torch.manual_seed(count)
    module = Dendritic(nn.Linear(inputs, outputs))
    add_dendrites([module], count, act)
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module.double()
