"""Magnitude pruning: removes the weights closest to zero, increasingly many during training.

A pruned weight gets no gradient; it comes back only if other weights shrink below it. Sources: Han et al. 2015; for
the gradual schedule, Zhu & Gupta 2017.
"""

from __future__ import annotations

from torch import Tensor

from models.compression.pruning.absorption import CutHook, CutStage
from models.compression.pruning.masks import unmasked_weight


class MagnitudeHook(CutHook):
    """Keeps the weights with the largest absolute values."""

    def importance(self, name: str) -> Tensor:
        """The absolute values of the weights, whether or not they are currently masked."""
        return unmasked_weight(self.matrices[name]).detach().abs()


class Magnitude(CutStage):
    """The stage of magnitude pruning."""

    hook_class = MagnitudeHook
