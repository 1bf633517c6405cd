"""L0 pruning: each weight has a gate that is drawn anew in every training step, and is fined for being open at all.

The gates are hard concrete: a stretched sigmoid of noise and a trained score, cut off at 0 and 1, so that many are
exactly 0 and the gradient is still a real one. Source: Louizos et al. 2018, arXiv 1712.01312.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.capabilities import OwnRate
from models.compression.pruning.masks import Mask, Matrix
from models.compression.pruning.stage import MaskingStage, Pruning
from models.compression.settings.pruning import L0 as Options
from models.compression.stage import StageContext

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1  # temperature, and the ends that the sigmoid is stretched to
EDGE = 1e-4  # the noise keeps away from 0 and 1, whose logit is infinite


class Gate(Mask, OwnRate):
    """Hard concrete gates with trained scores (log alpha); not binary, so that folding scales what is left."""

    def __init__(self, weight: Tensor, start: float, lr: float) -> None:
        super().__init__(weight)
        self.scores = nn.Parameter(torch.full_like(weight, start))
        self.own_lr = lr

    def factor(self) -> Tensor:
        """The gates without noise."""
        return stretched(self.scores.sigmoid())

    def drawn(self) -> Tensor:
        """The gates with noise."""
        noise = torch.rand_like(self.scores) * (1 - 2 * EDGE) + EDGE
        return stretched(((noise.logit() + self.scores) / BETA).sigmoid())

    def forward(self, weight: Tensor) -> Tensor:
        """The gated weight."""
        return weight * (self.drawn() if self.training else self.factor())


def stretched(share: Tensor) -> Tensor:
    """From (0, 1) to (GAMMA, ZETA), and cut off at 0 and 1."""
    return (share * (ZETA - GAMMA) + GAMMA).clamp(0.0, 1.0)


def openness(scores: Tensor) -> Tensor:
    """The probability that a drawn gate is not 0."""
    return (scores - BETA * math.log(-GAMMA / ZETA)).sigmoid()


class Gated(Pruning):
    """Fines open gates; how many are left is an outcome. The schedule only says from when on weights are kept."""

    def __init__(self, options: Options, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.strength, self.start, self.lr = options.penalty, options.init, options.score_lr

    def mask(self, weight: Tensor) -> Gate:
        """A gate for each weight."""
        return Gate(weight, self.start, self.lr)

    def penalty(self) -> Tensor:
        """The mean over matrices of the expected share of open gates."""
        return torch.stack([openness(mask.scores).mean() for mask in self.masks.values()]).mean()


class L0(MaskingStage):
    """The stage."""

    pruning = Gated
