"""What a model tells about itself while it trains: gradients by block, and the facts its modules offer.

A module offers facts by a method `facts() -> dict[str, float]` whose names are in runner/record/metrics.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.capabilities import Observed


def blocks(model: nn.Module) -> list[nn.Module]:
    """The layers of the encoder, ours or transformers'; none for a bag of words."""
    stack = next((module for module in model.modules() if isinstance(module, nn.ModuleList)), None)
    return [] if stack is None else list(stack)


@torch.no_grad()
def gradient_norms(model: nn.Module) -> Tensor | None:
    """The norm of all gradients of each block, (blocks,), still on the device; None without blocks, or frozen ones."""
    norms = []
    for block in blocks(model):
        grads = [p.grad.flatten() for p in block.parameters() if p.grad is not None]
        if not grads:
            return None
        norms.append(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(grad) for grad in grads])))
    return torch.stack(norms) if norms else None


def module_metrics(model: nn.Module, norms: Tensor | None) -> dict[str, float]:
    """The metrics to log at an evaluation; norms: the last `gradient_norms`. Blocks are numbered from 1."""
    found = {} if norms is None else {f"grad_norm/block_{i}": norm for i, norm in enumerate(norms.tolist(), 1)}
    for module in model.modules():
        if isinstance(module, Observed):
            found |= module.facts()
    return found
