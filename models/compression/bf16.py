"""Weights and arithmetic in bfloat16: half the bytes, and about three times the speed where the processor has it.

    run compression=[bf16] from=<run id>

What is no matrix, table or norm of the encoder stays as it is: a layer mix's weights, convolutions of a readout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from models.compression.rounding import describe, logits
from models.compression.stage import Stage

if TYPE_CHECKING:
    from models.compression.stage import Bench


class Bf16(Stage):
    """The stage."""

    def run(self, model: nn.Module, bench: Bench) -> nn.Module:
        """Cast, and say what that did to the answers."""
        model.eval()
        before = logits(model, bench)
        cast(model)
        describe(model, self.options)
        bench.add({"quantize/logit_difference": float((logits(model, bench) - before).abs().max())})
        bench.say("weights and arithmetic in bfloat16")
        return model


def cast(model: nn.Module) -> None:
    """The encoder and the linear layers above it to bfloat16; inputs are cast where the two types meet."""
    bert = model.get_submodule("bert")
    below = [child for name, child in bert.named_children() if name != "pooler"]
    above = [bert.get_submodule("pooler"), model.get_submodule("classifier")]
    for part in below:
        part.to(torch.bfloat16)
    for layer in (layer for part in above for layer in part.modules()):
        if isinstance(layer, nn.Linear):
            layer.to(torch.bfloat16)
        if any(True for _ in layer.parameters(recurse=False)) and not any(True for _ in layer.children()):
            layer.register_forward_pre_hook(to_own_type)
    for layer in (layer for part in below for layer in part.modules()):
        if isinstance(layer, nn.LayerNorm):  # what it gets may hold word vectors computed in float32
            layer.register_forward_pre_hook(to_own_type)


def to_own_type(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Cast what a layer gets to the type of its parameters."""
    own = next(layer.parameters()).dtype
    return tuple(value.to(own) for value in inputs)


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """A model in those types, for its saved weights."""
    cast(model)
    return model
