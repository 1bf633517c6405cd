"""R-Drop: two passes with different dropout should give the same outputs (Liang et al. 2021, arXiv 2106.14448).

    loss = (task loss of one + task loss of the other) / 2 + alpha / 2 * (KL(one || other) + KL(other || one))

Regression outputs are compared by squared difference, other tasks as in distillation from a teacher (`Task.match`).
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from models.backbones.dropout import has_dropout
from runner.errors import ConfigError
from runner.tasks.base import Task


def r_drop_loss(
    task: Task, alpha: float, losses: tuple[Tensor, Tensor], outputs: tuple[Tensor, Tensor],
    targets: Mapping[str, Tensor],
) -> Tensor:  # fmt: skip
    """Return the loss of two passes over the same rows, a scalar; losses: task losses, outputs: (items, C) each.

    Gradients flow through both sides of both divergences, as in the authors' code.
    """
    one, other = (output.float() for output in outputs)
    apart = task.match(one, other, targets, soft="kl", temperature=1.0)
    apart = apart + task.match(other, one, targets, soft="kl", temperature=1.0)
    return (losses[0] + losses[1]) / 2 + alpha / 2 * apart


def check_dropout(model: nn.Module, alpha: float) -> None:
    """Raise ConfigError if train.r_drop is set and a training has no dropout: both passes would be identical."""
    was_training = model.training
    has_any = has_dropout(model.train())  # parts that are frozen have none
    model.train(was_training)
    if alpha and not has_any:
        raise ConfigError(
            f"train.r_drop={alpha:g}: R-Drop needs dropout, but this model has none outside frozen parts. "
            "Try: model.dropout=0.1, or train.r_drop=0"
        )
