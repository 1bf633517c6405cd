"""Random pruning, the control of all other pruning methods: removes weights in a random order.

A method whose model is no better than this one has not learned which weights matter. The order is drawn once, from the
run's seed, so a removed weight never comes back.
"""

from __future__ import annotations

import zlib

import torch
from torch import Tensor, nn

from models.compression.pruning.absorption import CutHook, CutStage
from models.compression.pruning.masks import unmasked_weight


class RandomPruningHook(CutHook):
    """Keeps weights that are drawn uniformly, in each matrix or in all together."""

    def make_ready(self, model: nn.Module) -> None:
        """Draw the order in which weights are removed; those that an earlier stage pruned come first."""
        super().make_ready(model)
        self.order = {name: self._draw(name) for name in self.matrices}

    def _draw(self, name: str) -> Tensor:
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self.context.seed} {name}".encode()))
        weight = unmasked_weight(self.matrices[name]).detach()
        return torch.rand(weight.shape, generator=generator).to(weight.device).masked_fill(weight == 0, -1.0)

    def importance(self, name: str) -> Tensor:
        """The random numbers that were drawn for the weights, the same at every step."""
        return self.order[name]


class RandomPruning(CutStage):
    """The stage of random pruning."""

    hook_class = RandomPruningHook
