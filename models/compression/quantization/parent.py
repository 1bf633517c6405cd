"""The unrounded model as the teacher of its rounded self: its answers, and the states of its layers.

As in TernaryBERT (Zhang et al. 2020, arXiv 2009.12812), where the teacher is the same network before it is rounded. It
runs beside the training, on the rows of each step, because the states of all rows would fill a disk.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.distillation.internals import Internals, run_with_internals, shape_of
from models.compression.settings.quantization import AwareSettings
from models.compression.stage import Inputs, StageContext, Targets, zero_unless_finite
from models.errors import ModelError


class Parent:
    """A copy of a model from before it was rounded, and the losses that compare the two."""

    def __init__(self, model: nn.Module, options: AwareSettings, context: StageContext) -> None:
        self.model, self.context = model, context
        self.soft, self.states = options.qat_soft, options.qat_states
        self.network = deepcopy(model).eval().requires_grad_(False)
        self.answers: Tensor | None = None  # to the rows of the present step
        self.difference: Tensor | None = None  # of the states, if they are compared
        self.sums = torch.zeros(3, device=context.device)  # of the losses soft and states, and the number of steps

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The model's logits for training rows; keeps what `loss` compares them with."""
        theirs = self.context.training_inputs(rows, inputs)
        if not self.states:
            with torch.no_grad():
                self.answers = self.network(**theirs)
            return model(**inputs)
        own = run_with_internals(self.model, inputs)
        with torch.no_grad():
            parent = run_with_internals(self.network, theirs)
        self.answers, self.difference = parent.logits, state_difference(own, parent, inputs.get("attention_mask"))
        return own.logits

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets) -> Tensor:
        """The labels, the parent's answers and its states, each with its weight; the first two add up to 1."""
        assert self.answers is not None, "forward comes before loss"
        match = self.context.task.match
        soft = match(output.float(), self.answers.float(), targets, soft="kl", temperature=1.0)
        found = (1.0 - self.soft) * task_loss + self.soft * soft
        seen = [soft.detach(), soft.new_zeros(()), soft.new_ones(())]
        if self.difference is not None:
            found = found + self.states * self.difference
            seen[1] = self.difference.detach()
        self.sums += zero_unless_finite(torch.stack(seen))
        self.answers = self.difference = None
        return found

    def facts(self) -> dict[str, float]:
        """The mean of each loss since the last evaluation, before its weight."""
        soft, states, steps = self.sums.tolist()
        self.sums.zero_()
        if not steps:
            return {}
        return {"distil/loss_soft": soft / steps} | ({"distil/loss_hidden": states / steps} if self.states else {})


def state_difference(own: Internals, parent: Internals, mask: Tensor | None) -> Tensor:
    """Mean over the layers of the squared difference of the states over the parent's squared states, a scalar.

    mask: (B, T), 1 for real tokens. The normalisation makes layers count alike, whatever the size of their states.
    """
    real = torch.ones(()) if mask is None else mask.unsqueeze(-1)
    parts = []
    for mine, theirs in zip(own.states[1:], parent.states[1:]):
        power = (theirs.square() * real).sum().clamp(min=1e-12)
        parts.append(((mine - theirs).square() * real).sum() / power)
    return torch.stack(parts).mean()


def check_states(model: nn.Module, options: AwareSettings, name: str) -> None:
    """Raise ModelError for a comparison of states in a model whose layers cannot be read."""
    if options.qat and options.qat_states and not shape_of(model).layers:
        raise ModelError(
            f"compression.{name}.qat_states={options.qat_states:g} compares the states of layers, and this model has "
            f"none that can be read. Try: compression.{name}.qat_states=0"
        )
