"""Weights and arithmetic in bfloat16: half the bytes, and about three times the speed where the processor has it.

    run compression=[bf16] from=<run id>

What is no matrix, table or norm of the encoder stays as it is: a layer mix's weights, convolutions of a readout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from models.backbones.bert import Bert
from models.compression.quantization.stage import describe, logits
from models.compression.stage import Stage, StageContext


class Bf16(Stage):
    """The stage."""

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Cast, and say what that did to the answers."""
        model.eval()
        before = logits(model, context)
        cast(model)
        describe(model, self.options)
        context.add_metrics({"quantize/logit_difference": float((logits(model, context) - before).abs().max())})
        context.say("weights and arithmetic in bfloat16")
        return model


def cast(model: nn.Module) -> None:
    """The encoder and the linear layers above it to bfloat16; inputs are cast where the two types meet."""
    bert = model.get_submodule("bert")
    for name, part in bert.named_children():
        if name != "pooler":
            part.to(torch.bfloat16)
    meeting = list(_below(bert))
    for layer in (*bert.get_submodule("pooler").modules(), *model.get_submodule("classifier").modules()):
        if isinstance(layer, nn.Linear):
            layer.to(torch.bfloat16)
        if any(True for _ in layer.parameters(recurse=False)):
            meeting.append(layer)
    for layer in meeting:
        layer.register_forward_pre_hook(to_own_type)


def _below(bert: nn.Module) -> Iterator[nn.Module]:
    """Parts of our encoder that may get float32: computed word vectors, and what a readout adds between layers."""
    if not isinstance(bert, Bert):
        return
    norm = bert.embeddings.LayerNorm
    if any(True for _ in norm.parameters()):  # norm=none has none
        yield norm
    if bert.encoder is not None:
        yield from bert.encoder.layer.children()


def to_own_type(layer: nn.Module, inputs: Any) -> Any:
    """Cast the float tensors that a layer gets, in lists too, to the type of its parameters."""
    if isinstance(inputs, tuple | list):
        return type(inputs)(to_own_type(layer, value) for value in inputs)
    is_float = torch.is_tensor(inputs) and inputs.is_floating_point()
    return inputs.to(next(layer.parameters()).dtype) if is_float else inputs


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """A model in those types, for its saved weights."""
    cast(model)
    return model
