"""Exits on an encoder that stays as it is: logistic or linear regression on its states, without a training loop."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.compression.exiting.states import Seen
from models.heads.exit_rules import RIGHT, WRONG, wrongness
from models.heads.exits import Exits

STEPS = 100  # of L-BFGS at most; logistic regressions of 10,000 rows take 20 to 60
PENALTY = 1.0  # of the squared weights over standardised states, divided by the rows, as C=1 of scikit-learn
SMALLEST = 1e-6  # standard deviation of a number that is the same in all rows


def fit_exits(exits: Exits, seen: Seen, soft: float) -> None:
    """Fit every exit to the labels and, with weight `soft`, to the last layer's answers."""
    for place, read in enumerate(seen.vectors):
        layer = exits.classifiers[place]
        assert isinstance(layer, nn.Linear), "as Exits makes them"
        solve(layer, read.float(), lambda logits: answer_loss(logits, seen.labels, seen.last, soft))


def fit_doubt(exits: Exits, seen: Seen) -> None:
    """Fit what tells wrong answers from right ones (rule=learned), one layer for all exits."""
    if exits.doubt is None:
        return
    answers = seen.answers(exits).detach()
    wanted = wrongness(errors(answers, seen.labels)).flatten()
    read = seen.vectors.flatten(0, 1).float()
    solve(exits.doubt, read, lambda scores: F.mse_loss(scores.squeeze(-1).sigmoid(), wanted))


def errors(answers: Tensor, labels: Tensor) -> Tensor:
    """The error of each answer (..., N), as `wrongness` takes it; answers: logits (..., N, C)."""
    if answers.shape[-1] == 1:
        return (answers.squeeze(-1) - labels).square()
    return torch.where(answers.argmax(-1) == labels, RIGHT, WRONG)


def answer_loss(logits: Tensor, labels: Tensor, last: Tensor, soft: float) -> Tensor:
    """The loss of logits (N, C), a scalar: to the labels (weight 1) and to the last layer's answers (`soft`)."""
    if logits.shape[-1] == 1:
        found, own = logits.squeeze(-1), last.squeeze(-1)
        return (F.mse_loss(found, labels.float()) + soft * F.mse_loss(found, own)) / (1 + soft)
    return (F.cross_entropy(logits, labels) + soft * F.cross_entropy(logits, last.softmax(-1))) / (1 + soft)


def solve(layer: nn.Linear, read: Tensor, loss: Callable[[Tensor], Tensor]) -> None:
    """Set a linear layer to the minimum of a loss of its outputs, with a small penalty, for inputs (N, H).

    The inputs are standardised while it is solved; starts from zero, so that no seed counts.
    """
    mean, sd = read.mean(0), read.std(0).clamp(min=SMALLEST)
    inputs = (read - mean) / sd
    weight = torch.zeros_like(layer.weight, requires_grad=True)
    bias = torch.zeros_like(layer.bias, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        solver.zero_grad()
        found = loss(F.linear(inputs, weight, bias)) + PENALTY * weight.square().sum() / (2 * len(read))
        found.backward()
        return found

    with torch.enable_grad():
        solver.step(step)
    with torch.no_grad():
        layer.weight.copy_(weight / sd)
        layer.bias.copy_(bias - (weight / sd) @ mean)
