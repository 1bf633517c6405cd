"""Fits exits on a frozen encoder: logistic or linear regression on its states, without a training loop."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.compression.exiting.states import Seen
from models.heads.exit_rules import RIGHT, WRONG, wrongness
from models.heads.exits import Exits

STEPS = 100  # maximum L-BFGS steps; logistic regressions of 10,000 rows take 20 to 60
PENALTY = 1.0  # L2 penalty on standardised inputs, divided by the number of rows; the same as C=1 in scikit-learn
SMALLEST = 1e-6  # lower limit of a standard deviation, for inputs that are the same in all rows
# Lower limit relative to the mean: an input that varies by less is rounded by up to a thousandth of its variation in
# float32, and dividing by so small a deviation would make large weights of these errors.
SMALLEST_OF_MEAN = 1e-4


def fit_exits(exits: Exits, seen: Seen, soft: float) -> None:
    """Fit every exit to the labels and, with weight `soft`, to the last layer's answers."""
    for place, read in enumerate(seen.vectors):
        layer = exits.classifiers[place]
        assert isinstance(layer, nn.Linear), "as Exits makes them"
        solve(layer, read.float(), lambda logits: answer_loss(logits, seen.labels, seen.last, soft))


def fit_doubt(exits: Exits, seen: Seen) -> None:
    """Fit the layer that tells wrong answers from right ones (rule=learned); all exits share it."""
    if exits.doubt is None:
        return
    answers = seen.answers(exits).detach()
    wanted = wrongness(errors(answers, seen.labels)).flatten()
    read = seen.vectors.flatten(0, 1).float()
    solve(exits.doubt, read, lambda scores: F.mse_loss(scores.squeeze(-1).sigmoid(), wanted))


def errors(answers: Tensor, labels: Tensor) -> Tensor:
    """The error of each answer (..., N), in the form that `wrongness` expects; answers: logits (..., N, C)."""
    if answers.shape[-1] == 1:
        return (answers.squeeze(-1) - labels).square()
    return torch.where(answers.argmax(-1) == labels, RIGHT, WRONG)


def answer_loss(logits: Tensor, labels: Tensor, last: Tensor, soft: float) -> Tensor:
    """The loss of logits (N, C), a scalar: against the labels (weight 1) and the last layer's answers (`soft`)."""
    if logits.shape[-1] == 1:
        found, own = logits.squeeze(-1), last.squeeze(-1)
        return (F.mse_loss(found, labels.float()) + soft * F.mse_loss(found, own)) / (1 + soft)
    return (F.cross_entropy(logits, labels) + soft * F.cross_entropy(logits, last.softmax(-1))) / (1 + soft)


def solve(layer: nn.Linear, read: Tensor, loss: Callable[[Tensor], Tensor]) -> None:
    """Fit a linear layer on inputs (N, H): minimise a loss of its outputs plus a small L2 penalty.

    The inputs are standardised for the fit. It starts from zero weights, so it needs no seed.
    """
    mean, sd = read.mean(0), read.std(0).clamp(min=SMALLEST)
    sd = torch.maximum(sd, SMALLEST_OF_MEAN * mean.abs())
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
