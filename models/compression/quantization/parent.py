"""Distillation from the unquantized model (the parent) to the model being quantized: answers and layer states.

As in TernaryBERT (Zhang et al. 2020, arXiv 2009.12812), the teacher is the same network before quantization. It runs
during training, on the rows of each step, because storing the states of all rows would take too much disk space.
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
    """A copy of a model from before quantization, and the losses that compare the two."""

    def __init__(self, model: nn.Module, options: AwareSettings, context: StageContext) -> None:
        self.model, self.context = model, context
        self.soft, self.states = options.qat_soft, options.qat_states
        self.network = deepcopy(model).eval().requires_grad_(False)
        self.answers: Tensor | None = None  # the parent's logits for the rows of this step
        self.difference: Tensor | None = None  # between the states, if they are compared
        self.sums = torch.zeros(3, device=context.device)  # sums of the losses soft and states; number of steps

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The model's logits for training rows; stores what `loss` compares them with."""
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
        """The weighted losses against labels, parent's answers and parent's states; the first two weights sum to 1."""
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
        """The mean of each unweighted loss since the last evaluation."""
        soft, states, steps = self.sums.tolist()
        self.sums.zero_()
        if not steps:
            return {}
        return {"distil/loss_soft": soft / steps} | ({"distil/loss_hidden": states / steps} if self.states else {})


def state_difference(own: Internals, parent: Internals, mask: Tensor | None) -> Tensor:
    """Squared difference of the states divided by the parent's squared states, mean over the layers, a scalar.

    mask: (B, T), 1 for real tokens. The normalisation weights layers equally, whatever the scale of their states.
    """
    real = torch.ones(()) if mask is None else mask.unsqueeze(-1)
    parts = []
    for mine, theirs in zip(own.states[1:], parent.states[1:]):
        power = (theirs.square() * real).sum().clamp(min=1e-12)
        parts.append(((mine - theirs).square() * real).sum() / power)
    return torch.stack(parts).mean()


def check_states(model: nn.Module, options: AwareSettings, name: str) -> None:
    """ModelError if states are to be compared in a model whose layers cannot be read, or in a bi-encoder."""
    if not options.qat or not options.qat_states:
        return
    shape, why = shape_of(model), None
    if not shape.layers:
        why = "the states of layers, but this model has none that can be read"
    elif shape.reads_apart:
        why = "the states of a pair's tokens, but a bi-encoder encodes its two texts separately"
    if why:
        key = f"compression.{name}.qat_states"
        raise ModelError(f"{key}={options.qat_states:g} compares {why}. Try: {key}=0")
