"""Weights and arithmetic in bfloat16: half the bytes, and about three times as fast on processors with bfloat16.

    run 'compression=[bf16]' from=<run id>

The encoder's matrices, tables and norms are cast; weights of a layer mix and convolutions of a readout stay float32.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from models.backbones.bert import Bert
from models.backbones.bilstm import BiLstm
from models.backbones.cnn import Cnn
from models.compression.quantization.stage import record_method, sample_logits
from models.compression.stage import Stage, StageContext
from models.embeddings.base import WordVectors
from models.json_types import JsonObject


class Bf16(Stage):
    """Cast the model to bfloat16."""

    def sketch(self, model: nn.Module) -> None:
        """Cast an untrained model, which is as large and as fast as a trained one."""
        cast_to_bf16(model)
        record_method(model, self.options)

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Cast the model, and record the largest change of a logit."""
        model.eval()
        before = sample_logits(model, context)
        cast_to_bf16(model)
        record_method(model, self.options)
        context.add_metrics({"quantize/logit_difference": float((sample_logits(model, context) - before).abs().max())})
        context.say("weights and arithmetic in bfloat16")
        return model


def cast_to_bf16(model: nn.Module) -> None:
    """Cast the encoder and the linear layers above it; add casts of inputs wherever float32 meets bfloat16."""
    bert = model.get_submodule("bert")
    for name, part in bert.named_children():
        if name != "pooler":
            _cast(part)
    meeting = list(_below(bert))
    for layer in (*bert.get_submodule("pooler").modules(), *model.get_submodule("classifier").modules()):
        if isinstance(layer, nn.Linear):
            layer.to(torch.bfloat16)
        if any(True for _ in layer.parameters(recurse=False)):
            meeting.append(layer)
    for layer in meeting:
        layer.register_forward_pre_hook(to_own_type)


def _cast(part: nn.Module) -> None:
    """Cast the tensors that are saved; computed ones, such as the frequencies of rotary positions, stay float32.

    In bfloat16, the angle of a position in the hundreds would be off by up to a radian.
    """
    saved = part.state_dict().keys()
    computed = [(name, buffer) for name, buffer in part.named_buffers() if name not in saved]
    part.to(torch.bfloat16)
    for name, buffer in computed:
        owner, _, last = name.rpartition(".")
        part.get_submodule(owner).register_buffer(last, buffer, persistent=False)


def _below(bert: nn.Module) -> Iterator[nn.Module]:
    """Parts of our encoder whose inputs may be float32: frames, computed word vectors, modules between layers."""
    if isinstance(bert, Cnn):
        yield from bert.blocks.children()
    if not isinstance(bert, Bert):
        return
    words = bert.embeddings.word_embeddings
    if isinstance(words, WordVectors) and words.frame_width is not None:
        yield from (part for part in words.children() if any(True for _ in part.parameters()))
    norm = bert.embeddings.LayerNorm
    if any(True for _ in norm.parameters()):  # norm=none has none
        yield norm
    if bert.encoder is not None:
        yield from bert.encoder.layer.children()
    if isinstance(bert, BiLstm):
        yield from bert.lstm.children()


def to_own_type(layer: nn.Module, inputs: object) -> object:
    """Forward pre-hook: cast a layer's float inputs, including those in lists, to the type of its parameters."""
    if isinstance(inputs, tuple | list):
        return type(inputs)(to_own_type(layer, value) for value in inputs)
    if not isinstance(inputs, Tensor) or not inputs.is_floating_point():
        return inputs
    return inputs.to(next(layer.parameters()).dtype)


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Cast a newly built model, before its saved weights are loaded."""
    cast_to_bf16(model)
    return model
