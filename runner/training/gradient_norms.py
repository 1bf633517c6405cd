"""Metrics logged in addition to the scores: gradient norms by encoder layer, and what the modules of a model report.

A module offers metrics by a method `facts() -> dict[str, float]` whose names are in runner/record/metrics.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.capabilities import Observed


class GradientNorms:
    """Keeps the gradient norms of the encoder's layers from the last step before an evaluation until the evaluation."""

    def __init__(self) -> None:
        self.norms: Tensor | None = None

    def observe(self, model: nn.Module) -> None:
        """Store the norms of the model's current gradients."""
        self.norms = gradient_norms(model)

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return {} if self.norms is None else {"block_norms": self.norms}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore a `state`."""
        self.norms = state.get("block_norms")


def encoder_layers(model: nn.Module) -> list[nn.Module]:
    """Return the layers of the encoder, ours or one of transformers; [] for a bag of words."""
    stack = next((module for module in model.modules() if isinstance(module, nn.ModuleList)), None)
    return [] if stack is None else list(stack)


@torch.no_grad()
def gradient_norms(model: nn.Module) -> Tensor | None:
    """Return the norm of all gradients of each layer, (layers,), still on the device.

    None if there are no layers, or a layer has no gradients (frozen).
    """
    norms = []
    for layer in encoder_layers(model):
        grads = [p.grad.flatten() for p in layer.parameters() if p.grad is not None]
        if not grads:
            return None
        norms.append(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(grad) for grad in grads])))
    return torch.stack(norms) if norms else None


def module_metrics(model: nn.Module, norms: Tensor | None) -> dict[str, float]:
    """Return the metrics to log at an evaluation; norms: the last `gradient_norms`. Layers are numbered from 1."""
    found = {} if norms is None else {f"grad_norm/block_{i}": norm for i, norm in enumerate(norms.tolist(), 1)}
    for module in model.modules():
        if isinstance(module, Observed):
            found |= module.facts()
    return found
