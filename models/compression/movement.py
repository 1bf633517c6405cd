"""Movement pruning: weights that training moves away from zero stay, those that it moves towards zero go.

Each weight has a score that is trained as if the mask were the score itself (straight-through), so that it falls by
dL/dW' times W: also behind its mask, which is how a weight comes back. hard keeps the highest scores of each matrix,
soft those above a threshold, under a penalty on all. Source: Sanh et al. 2020, arXiv 2005.07683, and its code.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from models.capabilities import OwnRate
from models.compression.pruning.masks import Binary, Matrix, cut_to, keep_top
from models.compression.pruning.stage import MaskingStage, Pruning
from models.compression.settings.pruning import Movement as Options
from models.compression.stage import StageContext

FLOOR = 0.005  # of a matrix's weights, which soft pruning keeps whatever their scores: binarizer.py of the source


class StraightThrough(torch.autograd.Function):
    """W x M, with the gradient of the scores that of M."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, scores: Tensor, kept: Tensor) -> Tensor:
        """All of one shape."""
        ctx.save_for_backward(weight, kept)
        return weight * kept

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Of weight and scores; the mask has none."""
        weight, kept = ctx.saved_tensors
        return gradient * kept, gradient * weight, None


class Scored(Binary, OwnRate):
    """A mask with trained scores, which start at 0 and learn at a rate of their own."""

    def __init__(self, weight: Tensor, lr: float) -> None:
        super().__init__(weight)
        self.scores = nn.Parameter(torch.zeros_like(weight))
        self.own_lr = lr

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight."""
        out: Tensor = StraightThrough.apply(weight, self.scores, self.kept)
        return out


class Moving(Pruning):
    """Keeps the weights of highest scores, or those whose score passes a threshold."""

    def __init__(self, options: Options, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.is_soft, self.scope, self.lr = options.form == "soft", options.scope, options.score_lr
        self.last = options.density
        if self.is_soft:
            self.first, self.last, self.scheduled = 0.0, options.threshold, "prune/threshold"
            self.strength = options.penalty

    def mask(self, weight: Tensor) -> Scored:
        """One with a score for each weight."""
        return Scored(weight, self.lr)

    @torch.no_grad()
    def cut(self) -> None:
        """By the scores as they stand."""
        if not self.is_soft:
            cut_to(self.value, list(self.masks.values()), [mask.scores for mask in self.masks.values()], self.scope)
            return
        for mask in self.masks.values():
            kept = (mask.scores.sigmoid() > self.value).to(mask.kept.dtype)
            mask.kept.copy_(kept if kept.mean() >= FLOOR else keep_top([mask.scores], FLOOR)[0])

    def penalty(self) -> Tensor | None:
        """The mean over matrices of the mean sigmoid of a score."""
        if not self.is_soft:
            return None
        return torch.stack([mask.scores.sigmoid().mean() for mask in self.masks.values()]).mean()


class Movement(MaskingStage):
    """The stage."""

    pruning = Moving
