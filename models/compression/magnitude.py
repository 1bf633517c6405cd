"""Magnitude pruning: removes the weights closest to zero, increasingly many during training.

A pruned weight gets no gradient; it comes back only if other weights shrink below it. Sources: Han et al. 2015; for
the gradual schedule, Zhu & Gupta 2017.
"""

from __future__ import annotations

from torch import Tensor

from models.compression.pruning.absorption import CutHook, CutStage
from models.compression.pruning.masks import BinaryMask, Matrix, set_masks, unmasked_weight
from models.compression.settings.pruning import Magnitude as Options
from models.compression.stage import StageContext


class MagnitudeHook(CutHook):
    """Keeps the weights with the largest absolute values."""

    def __init__(self, options: Options, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.scope = options.scope

    def make_mask(self, weight: Tensor) -> BinaryMask:
        """A mask without scores: the weights serve as scores."""
        return BinaryMask(weight)

    def update_masks(self) -> None:
        """Keep the largest weights, whether or not they are currently masked."""
        scores = [unmasked_weight(matrix).detach().abs() for matrix in self.matrices.values()]
        set_masks(self.value, list(self.masks.values()), scores, self.scope)


class Magnitude(CutStage):
    """The stage of magnitude pruning."""

    hook_class = MagnitudeHook
