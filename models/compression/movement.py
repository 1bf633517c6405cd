"""Movement pruning: keeps weights that training moves away from zero and removes those that it moves towards zero.

Each weight has a score that gets the mask's gradient (straight-through): it falls by dL/dW' times W, even while the
weight is masked, so a weight can come back. hard keeps the highest scores; soft keeps scores above a threshold, with a
penalty on all scores. Source: Sanh et al. 2020, arXiv 2005.07683, and its code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from models.capabilities import OwnRate
from models.compression.pruning.absorption import CutHook, CutStage
from models.compression.pruning.masks import BinaryMask, Matrix, keep_top, unmasked_weight
from models.compression.settings.pruning import CutPruning
from models.compression.settings.pruning import Movement as Options
from models.compression.stage import StageContext

if TYPE_CHECKING:
    from torch.autograd.function import FunctionCtx

FLOOR = 0.005  # share of a matrix that soft pruning always keeps; binarizer.py of the source
FASTEST = 2e-4  # warn if more than this share of the weights is removed in a step; papers use 0.7e-4 to 1.1e-4


class StraightThrough(torch.autograd.Function):
    """W x M; the scores get the gradient of M."""

    @staticmethod
    def forward(ctx: FunctionCtx, weight: Tensor, scores: Tensor, kept: Tensor) -> Tensor:
        """The masked weight; all tensors have the same shape."""
        ctx.save_for_backward(weight, kept)
        return weight * kept

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients of weight and scores; the mask has none."""
        weight, kept = ctx.saved_tensors
        return gradient * kept, gradient * weight, None


class ScoredMask(BinaryMask, OwnRate):
    """A mask with trained scores, which start at 0 and have their own learning rate."""

    def __init__(self, weight: Tensor, lr: float) -> None:
        super().__init__(weight)
        self.scores = nn.Parameter(torch.zeros_like(weight))
        self.own_lr = lr

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight."""
        out: Tensor = StraightThrough.apply(weight, self.scores, self.kept)
        return out


class MovementHook(CutHook):
    """Keeps the weights with the highest scores, or those whose score exceeds a threshold."""

    def __init__(self, options: Options, matrices: dict[str, Matrix], context: StageContext) -> None:
        super().__init__(options, matrices, context)
        self.is_soft, self.lr = options.form == "soft", options.score_lr
        if self.is_soft:
            self.first, self.last, self.scheduled = 0.0, options.threshold, "prune/threshold"
            self.strength = options.penalty

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Attach the masks, and warn if the schedule is too fast for the scores."""
        super().begin(model, total_steps)
        if self.is_soft:
            return
        share = removed_per_step(self.options, total_steps)
        self.context.add_metrics({"prune/removed_per_step": share})
        if share > FASTEST:
            needed = math.ceil(total_steps * share / FASTEST)
            self.context.say(
                f"note: up to {share:.2%} of the weights are removed in a step, and movement scores choose badly above "
                f"{FASTEST:.2%}. Slower: {needed:,} steps instead of {total_steps:,}"
            )

    def make_mask(self, weight: Tensor) -> ScoredMask:
        """A mask with a score for each weight."""
        return ScoredMask(weight, self.lr)

    @torch.no_grad()
    def update_masks(self) -> None:
        """Set the masks from the current scores."""
        if not self.is_soft:
            super().update_masks()
            return
        for mask in self.masks.values():
            kept = (mask.scores.sigmoid() > self.value).to(mask.kept.dtype)
            mask.kept.copy_(kept if kept.mean() >= FLOOR else keep_top([mask.scores], FLOOR)[0])

    def importance(self, name: str) -> Tensor:
        """The scores of a matrix, with weights that are zero already, such as those pruned by an earlier stage, last.

        Their scores have no gradient and stay at 0, above those of weights that move towards zero.
        """
        scores: Tensor = self.masks[name].scores
        return scores.masked_fill(unmasked_weight(self.matrices[name]) == 0, -math.inf)

    def penalty(self) -> Tensor | None:
        """The mean over matrices of the mean sigmoid of their scores; None if hard."""
        if not self.is_soft:
            return None
        return torch.stack([mask.scores.sigmoid().mean() for mask in self.masks.values()]).mean()


def removed_per_step(options: CutPruning, steps: int) -> float:
    """The largest share of the weights that the cubic schedule removes in one step of a training with `steps` steps."""
    between = max(1.0, (options.end - options.start) * steps)
    return min(1.0, 3.0 / between) * (1.0 - options.density)


class Movement(CutStage):
    """The stage of movement pruning."""

    hook_class = MovementHook
