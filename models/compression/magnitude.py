"""Magnitude pruning: the weights nearest to zero go, more and more of them while the others learn to do without.

A weight that is pruned gets no gradient, and comes back only if others shrink below it. Sources: Han et al. 2015; the
gradual schedule Zhu & Gupta 2017.
"""

from __future__ import annotations

from torch import Tensor

from models.compression.pruning.masks import Binary, Matrix, cut_to, original
from models.compression.pruning.stage import MaskingStage, Pruning
from models.compression.settings.pruning import Magnitude as Options
from models.compression.stage import StageContext


class Largest(Pruning):
    """Keeps the weights of largest absolute value."""

    def __init__(self, options: Options, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.last, self.scope = options.density, options.scope

    def mask(self, weight: Tensor) -> Binary:
        """One without scores: the weights are their own."""
        return Binary(weight)

    def cut(self) -> None:
        """By the weights as they stand, behind their masks."""
        scores = [original(matrix).detach().abs() for matrix in self.matrices.values()]
        cut_to(self.value, list(self.masks.values()), scores, self.scope)


class Magnitude(MaskingStage):
    """The stage."""

    pruning = Largest
