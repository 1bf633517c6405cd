"""Recovery training: distils the dense model's hidden states and logits into the cut model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.settings.pruning import Recovery
from models.compression.stage import Inputs, StageContext, Targets, TrainingHook
from models.compression.structured.blocks import blocks_of

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle


def relative_state_loss(states: Tensor, wanted: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over real tokens of ||h - h*||^2, divided by the mean of ||h*||^2; states (..., H), mask (...) or None.

    The division makes one loss weight fit layers and models of different scale. Source: ZipLM, arXiv 2302.04089.
    """
    wanted = wanted.float()
    difference, size = (states.float() - wanted).square().sum(-1), wanted.square().sum(-1)
    if mask is not None:
        difference, size = difference * mask, size * mask
    return difference.sum() / size.sum()


class RecoveryHook(TrainingHook):
    """The loss is the weighted sum of the task's loss and the distances to the dense model's logits and hidden states.

    Layer k is compared with layer k. The width of the hidden states never changes, so no projection is needed.
    """

    def __init__(self, dense: nn.Module, context: StageContext, options: Recovery) -> None:
        self.dense, self.context, self.options = dense, context, options
        self.states: dict[int, Tensor] = {}
        self.wanted: dict[int, Tensor] = {}
        self.dense_logits = Tensor()
        self.mask: Tensor | None = None
        self.hooks: list[RemovableHandle] = []

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Register hooks on the layers of both models."""
        for layers, kept in ((blocks_of(model), self.states), (blocks_of(self.dense), self.wanted)):
            for place, layer in enumerate(layers):
                self.hooks.append(layer.register_forward_hook(_keeper(kept, place)))

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The logits of the cut model; runs the dense model on the same rows."""
        with torch.no_grad():
            self.dense_logits = self.dense(**self.context.training_inputs(rows, inputs))
        self.mask = inputs.get("attention_mask")
        return model(**inputs)

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The weighted sum of the losses of the task, the logits, and the hidden states (mean over layers)."""
        options, found = self.options, []
        for place, states in self.states.items():
            found.append(relative_state_loss(states, self.wanted[place], self._mask_of(states)))
        from_logits = self.context.task.match(
            output.float(), self.dense_logits.float(), targets, soft="kl", temperature=options.temperature
        )
        return options.task * task_loss + options.answers * from_logits + options.states * torch.stack(found).mean()

    def _mask_of(self, states: Tensor) -> Tensor | None:
        """The mask for a layer's states; the last layer may compute fewer tokens, or only real ones (None)."""
        return None if self.mask is None or states.ndim == 2 else self.mask[:, : states.shape[1]]

    def end(self, model: nn.Module) -> None:
        """Remove the hooks."""
        for hook in self.hooks:
            hook.remove()


def _keeper(kept: dict[int, Tensor], place: int) -> Callable[..., None]:
    def keep(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        kept[place] = output

    return keep
