"""The scale of regression targets: the head predicts standardised targets, the model the targets in their unit.

    standardise_targets(model, mean, sd, is_fresh=True)
    model(**inputs)                                  # (B, 1) around `mean`, in the targets' unit

Mean and standard deviation are stored in `architecture["targets"]` and thus in config.json. A plain BERT's config has
no field for them: models/heads/text.py folds them into its head, so that the stock class predicts the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.heads.linear import LinearHead
from models.json_types import JsonObject

TARGETS = "targets"  # the key in an architecture


class Unstandardise(nn.Module):
    """Converts standardised predictions to the targets' unit, always in fp32: at 200,000, bf16 has steps of 1024."""

    def __init__(self, mean: float, sd: float) -> None:
        super().__init__()
        if not (math.isfinite(mean) and 0 < sd < math.inf):
            raise ValueError(f"targets have a mean of {mean} and a standard deviation of {sd}")
        self.mean, self.sd = float(mean), float(sd)

    def forward(self, logits: Tensor) -> Tensor:
        """Map (B, 1) to (B, 1) float32."""
        return logits.float() * self.sd + self.mean


def attach_target_scale(model: LinearHead, targets: JsonObject) -> None:
    """Make the model rescale its head's output; ValueError for an invalid mean or sd."""
    model.unstandardise = Unstandardise(targets["mean"], targets["sd"])
    model.architecture[TARGETS] = {"mean": model.unstandardise.mean, "sd": model.unstandardise.sd}


def detach_target_scale(model: LinearHead) -> JsonObject | None:
    """Remove the rescaling; return its mean and sd, or None if there was none."""
    model.unstandardise = nn.Identity()
    targets: JsonObject | None = model.architecture.pop(TARGETS, None)
    return targets


def standardise_targets(model: LinearHead, mean: float, sd: float, *, is_fresh: bool) -> None:
    """Make the head predict standardised targets; the predictions of a trained head (is_fresh=False) stay the same.

    A model that already has a target scale keeps it; a trained head that is not linear gets none.
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


def unit_of(model: LinearHead) -> float:
    """Return the standard deviation of a model's targets, by which its head's outputs are multiplied; 1 without any."""
    return float(model.architecture[TARGETS]["sd"]) if TARGETS in model.architecture else 1.0


def fold_target_scale(weight: Tensor, bias: Tensor, targets: JsonObject) -> tuple[Tensor, Tensor]:
    """Fold the scale into a linear head's weight (1, H) and bias (1,), to predict in the targets' unit; float32."""
    mean, sd = targets["mean"], targets["sd"]
    return (weight.double() * sd).float(), (bias.double() * sd + mean).float()
