"""L0 pruning: each weight has a random gate, sampled at every training step, and a penalty on open gates.

Gates follow the hard concrete distribution: the sigmoid of noise plus a trained score, stretched and clamped to
[0, 1]. Many gates are exactly 0, yet gradients reach the scores. Source: Louizos et al. 2018, arXiv 1712.01312.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.capabilities import OwnRate
from models.compression.pruning.masks import Mask, Matrix
from models.compression.pruning.stage import MaskingStage, PruningHook
from models.compression.settings.pruning import L0 as Options
from models.compression.stage import StageContext

BETA, GAMMA, ZETA = 2 / 3, -0.1, 1.1  # temperature, and the interval that the sigmoid is stretched to
EDGE = 1e-4  # minimum distance of the noise from 0 and 1, where its logit is infinite


class GateMask(Mask, OwnRate):
    """Hard concrete gates with trained scores (log alpha). They are not binary, so folding also scales weights."""

    def __init__(self, weight: Tensor, start: float, lr: float) -> None:
        super().__init__(weight)
        self.scores = nn.Parameter(torch.full_like(weight, start))
        self.own_lr = lr

    def factor(self) -> Tensor:
        """The gates without noise."""
        return stretch(self.scores.sigmoid())

    def noisy_factor(self) -> Tensor:
        """The gates with noise."""
        noise = torch.rand_like(self.scores) * (1 - 2 * EDGE) + EDGE
        return stretch(((noise.logit() + self.scores) / BETA).sigmoid())

    def forward(self, weight: Tensor) -> Tensor:
        """The gated weight."""
        return weight * (self.noisy_factor() if self.training else self.factor())


def stretch(share: Tensor) -> Tensor:
    """Stretch (0, 1) to (GAMMA, ZETA) and clamp to [0, 1]."""
    return (share * (ZETA - GAMMA) + GAMMA).clamp(0.0, 1.0)


def open_probability(scores: Tensor) -> Tensor:
    """The probability that a random gate is not 0."""
    return (scores - BETA * math.log(-GAMMA / ZETA)).sigmoid()


class L0Hook(PruningHook):
    """Penalises open gates; no density is set. The schedule only decides from when weights may be kept as the best."""

    def __init__(self, options: Options, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.strength, self.start, self.lr = options.penalty, options.init, options.score_lr

    def make_mask(self, weight: Tensor) -> GateMask:
        """A gate for each weight."""
        return GateMask(weight, self.start, self.lr)

    def penalty(self) -> Tensor:
        """The mean over matrices of the expected share of open gates."""
        return torch.stack([open_probability(mask.scores).mean() for mask in self.masks.values()]).mean()


class L0(MaskingStage):
    """The stage of L0 pruning."""

    hook_class = L0Hook
