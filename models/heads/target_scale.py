"""The unit of a regression's answers: the head computes in standard deviations around a mean, the model in the unit.

    standardise_targets(model, mean, sd, is_fresh=True)
    model(**inputs)                                  # (B, 1) around `mean`, in the targets' unit

Mean and standard deviation stand in `architecture["targets"]`, from where they come into config.json. A plain BERT has
no place for them there: models/checkpoints/save.py folds them into its head, so that the stock class answers the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from models.network import SequenceClassifier

TARGETS = "targets"  # the key in an architecture


class Unstandardise(nn.Module):
    """Standard deviations to the targets' unit, in fp32 whatever the head computes in: bf16 has steps of 1024 there."""

    def __init__(self, mean: float, sd: float) -> None:
        super().__init__()
        if not (math.isfinite(mean) and 0 < sd < math.inf):
            raise ValueError(f"targets have a mean of {mean} and a standard deviation of {sd}")
        self.mean, self.sd = float(mean), float(sd)

    def forward(self, logits: Tensor) -> Tensor:
        """(B, 1) to (B, 1) float32."""
        return logits.float() * self.sd + self.mean


def attach_target_scale(model: SequenceClassifier, targets: dict[str, Any]) -> None:
    """Let the model's head compute in that unit from now on; ValueError for numbers that are no mean and sd."""
    model.unstandardise = Unstandardise(targets["mean"], targets["sd"])
    model.architecture[TARGETS] = {"mean": model.unstandardise.mean, "sd": model.unstandardise.sd}


def detach_target_scale(model: SequenceClassifier) -> dict[str, Any] | None:
    """Let it answer as its head computes; answers what its unit was."""
    model.unstandardise = nn.Identity()
    targets: dict[str, Any] | None = model.architecture.pop(TARGETS, None)
    return targets


def standardise_targets(model: SequenceClassifier, mean: float, sd: float, *, is_fresh: bool) -> None:
    """Let the head compute in standard deviations; a head that was trained, not fresh, goes on answering the same.

    A model that has a unit keeps it, and one whose trained head is not linear keeps computing without.
    """
    if TARGETS in model.architecture:
        return
    head = model.classifier
    if not is_fresh:
        if type(head) is not nn.Linear:
            return
        with torch.no_grad():
            head.weight.copy_(head.weight.double() / sd)
            head.bias.copy_((head.bias.double() - mean) / sd)
    attach_target_scale(model, {"mean": mean, "sd": sd})


def fold_target_scale(weight: Tensor, bias: Tensor, targets: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """A linear head (1, H), (1,) that computes in the targets' unit by itself, float32; rounded once."""
    mean, sd = targets["mean"], targets["sd"]
    return (weight.double() * sd).float(), (bias.double() * sd + mean).float()
