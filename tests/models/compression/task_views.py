"""Tasks as compression stages see them, without a runner."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from models.compression.distillation.losses import regression_loss, soft_cross_entropy, soft_divergence
from models.compression.stage import Targets


class Classes:
    """One of C classes."""

    def loss(self, output: Tensor, targets: Targets) -> Tensor:
        return F.cross_entropy(output, targets["labels"])

    def match(self, student: Tensor, teacher: Tensor, targets: Targets, *, soft: str, temperature: float) -> Tensor:
        return (soft_divergence if soft == "kl" else soft_cross_entropy)(student, teacher, temperature)


class Numbers:
    """One number, in units of `scale`."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def loss(self, output: Tensor, targets: Targets) -> Tensor:
        return regression_loss(output.squeeze(-1), targets["labels"].to(output.dtype), self.scale)

    def match(self, student: Tensor, teacher: Tensor, targets: Targets, *, soft: str, temperature: float) -> Tensor:
        return regression_loss(student, teacher, self.scale)
