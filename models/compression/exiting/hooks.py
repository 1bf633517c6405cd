"""Trains an encoder together with its exits.

alternate: every other step trains all exits and the last layer, the rest only the last layer (BERxiT, Xin et al. 2021).
weighted: every step trains all of them, each weighted by its layer's number (PABEE, Zhou et al. 2020, arXiv
2006.04152).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.compression.exiting.states import exit_vectors
from models.compression.settings.exits import Exits as Options
from models.compression.stage import Inputs, StageContext, Targets, TrainingHook, zero_unless_finite
from models.heads.exits import Exits
from models.heads.linear import LinearHead


def weighted_mean(losses: Sequence[Tensor], layers: Sequence[int]) -> Tensor:
    """The mean of the losses of exits, a scalar, each weighted by the number of its layer."""
    weights = losses[0].new_tensor(layers)
    return (torch.stack(list(losses)) * weights).sum() / weights.sum()


class ExitsHook(TrainingHook):
    """Adds the exits' losses to the task loss; each exit also learns the last layer's answers (`soft`)."""

    def __init__(self, model: LinearHead, exits: Exits, options: Options, context: StageContext, layers: int) -> None:
        self.model, self.exits, self.options, self.context, self.layers = model, exits, options, context, layers
        self.step = 0
        self.early: list[Tensor] = []  # logits of the exits for this batch
        self.sums = torch.zeros(2, device=context.device)  # sum of the exits' losses, number of batches with exits

    def before_step(self, step: int) -> None:
        """Record the step, which decides which losses are used."""
        self.step = step

    def has_exits(self) -> bool:
        """Are the exits trained in this step?"""
        return self.options.form == "weighted" or self.step % 2 == 1

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The logits of the last layer; keeps those of the exits in steps that train them."""
        self.early = []
        if not self.has_exits():
            return model(**inputs)
        vectors, last = exit_vectors(self.model, self.exits, inputs)
        answers = [self.exits.answer(place, read) for place, read in enumerate(vectors)]
        self.early = [self.model.unstandardise(logits) for logits in answers]
        return self.model.score(last)

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The task's loss, combined with the exits' losses in steps that train them."""
        if not self.early:
            return task_loss
        losses = [self._loss(logits, output, targets) for logits in self.early]
        seen = torch.stack([torch.stack(losses).mean().detach(), task_loss.new_ones(())])
        self.sums += zero_unless_finite(seen)
        if self.options.form == "weighted":
            return weighted_mean([*losses, task_loss], [*self.exits.layers, self.layers])
        return torch.stack([*losses, task_loss]).sum()

    def _loss(self, logits: Tensor, output: Tensor, targets: Targets) -> Tensor:
        task, wanted = self.context.task, output.detach().float()
        found = task.loss(logits, targets)
        if not self.options.soft:
            return found
        soft = self.options.soft
        return (found + soft * task.match(logits, wanted, targets, soft="kl", temperature=1.0)) / (1 + soft)

    def facts(self) -> dict[str, float]:
        """The mean loss of the exits since the last evaluation."""
        total, batches = self.sums.tolist()
        self.sums.zero_()
        return {"exits/loss": total / batches} if batches else {}

    def state(self) -> dict[str, Tensor]:
        """The sums from which the next logged mean is computed."""
        return {"sums": self.sums.clone()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the sums."""
        self.sums.copy_(state["sums"])
