"""Reads, cuts, records and restores the widths of an encoder's sublayers, in heads or neurons.

A sublayer of width 0 leaves its residual connection and any bias: LayerNorm(x + bias) in BERT; x in ModernBERT.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from models.backbones.bert import Bert, Encoder
from models.compression.structured.blocks import (
    ATTENTION,
    FFN,
    BiasOnly,
    Rest,
    ZerosOnly,
    blocks_of,
    empty_part,
    group_of,
    linear_of,
    parts_of,
    reading_module,
)
from models.compression.structured.optimal_brain_surgeon import group_columns
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network


class Sublayer(NamedTuple):
    """One of the two sublayers of a layer: its attention (heads) or its feed-forward part (neurons)."""

    layer: int  # from 0
    part: str  # attention | ffn


def encoder_of(model: nn.Module) -> Encoder:
    """The encoder of a classifier; ModelError if it is not one of ours."""
    bert = model.bert if isinstance(model, Network) else None
    if not isinstance(bert, Bert) or bert.encoder is None:
        raise ModelError("only layers of our own BERTs can be resized. Try: model=bert-tiny, or another BERT")
    return bert.encoder


def layer_of(model: nn.Module, sublayer: Sublayer) -> nn.Module:
    """The layer that a sublayer belongs to."""
    return blocks_of(model)[sublayer.layer]


def sublayers(model: nn.Module) -> list[Sublayer]:
    """All sublayers of all layers, lowest layer first."""
    return [Sublayer(layer, part) for layer in range(len(blocks_of(model))) for part in (ATTENTION, FFN)]


def width_of(layer: nn.Module, part: str) -> int:
    """The number of heads or neurons that remain."""
    output = reading_module(layer, part)
    if isinstance(output, BiasOnly | ZerosOnly):
        return 0
    return cast(nn.Linear, output).in_features // group_of(layer, part)


def widths(model: nn.Module) -> list[list[int]]:
    """The numbers of heads and neurons of each layer."""
    return [[width_of(layer, part) for part in (ATTENTION, FFN)] for layer in blocks_of(model)]


def cut_sublayer(layer: nn.Module, part: str, kept: Sequence[int], weight: Tensor, bias: Tensor | None) -> None:
    """Keep only these heads or neurons; weight (H, kept columns) and bias (H,) replace the output layer's."""
    output = linear_of(layer, part)
    if not kept:
        rest: Rest = ZerosOnly(output.out_features)
        if bias is not None:
            rest = BiasOnly(nn.Parameter(bias.detach().clone(), output.bias.requires_grad))
        empty_part(layer, part, rest)
        return
    where, columns = parts_of(layer)[part], group_columns(kept, group_of(layer, part)).to(weight.device)
    for name in where.made_by:
        linear = layer.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        height = linear.out_features // where.stretches
        rows = torch.cat([columns + stretch * height for stretch in range(where.stretches)])
        _replace(linear, linear.weight[rows], None if linear.bias is None else linear.bias[rows])
    _replace(output, weight, bias)


def without_sublayers(model: Network) -> Network:
    """A copy of a model without any heads and neurons, whose layers may be quantized."""
    empty = copy.deepcopy(model)
    for sublayer in sublayers(empty):
        layer = layer_of(empty, sublayer)
        output = reading_module(layer, sublayer.part)
        if isinstance(output, BiasOnly | ZerosOnly):
            continue
        bias = cast(Tensor | None, output.bias)
        rest = ZerosOnly(cast(nn.Linear, output).out_features) if bias is None else BiasOnly(nn.Parameter(bias, False))
        empty_part(layer, sublayer.part, rest)
    return empty


def _replace(linear: nn.Linear, weight: Tensor, bias: Tensor | None) -> None:
    """Give a linear layer new tensors, and set its sizes to match."""
    is_trained = linear.weight.requires_grad
    linear.weight = nn.Parameter(weight.detach().clone(), is_trained)
    if bias is not None:
        linear.bias = nn.Parameter(bias.detach().clone(), is_trained)
    linear.out_features, linear.in_features = weight.shape


def record_widths(model: Network) -> None:
    """Write the widths into `model.architecture`, replacing those of an earlier cut."""
    others = [entry for entry in model.architecture.get("compressed", []) if entry["method"] != "ziplm"]
    model.architecture["compressed"] = [*others, {"method": "ziplm", "layers": widths(model)}]


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Cut a newly built model to the recorded widths. Which heads stay is irrelevant: weights are loaded afterwards."""
    for sublayer in sublayers(model):
        layer, count = layer_of(model, sublayer), description["layers"][sublayer.layer][sublayer.part == FFN]
        if count < width_of(layer, sublayer.part):
            output = linear_of(layer, sublayer.part)
            weight = output.weight[:, : count * group_of(layer, sublayer.part)]
            cut_sublayer(layer, sublayer.part, range(count), weight, output.bias)
    return model
