"""The widths of an encoder's sublayers, in heads or neurons: read them, cut them, record them, restore them.

An attention or feed-forward sublayer of width 0 computes LayerNorm(x + bias).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from torch import Tensor, nn

from models.backbones.attention import ResidualOutput
from models.backbones.bert import Bert, Encoder, Layer
from models.compression.structured.optimal_brain_surgeon import group_columns
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network

ATTENTION, FFN = "attention", "ffn"


class Sublayer(NamedTuple):
    """One of the two sublayers of a layer: its attention (heads) or its feed-forward part (neurons)."""

    layer: int  # from 0
    part: str  # attention | ffn


class EmptySublayer(nn.Module):
    """Takes the place of heads or neurons that are all removed: outputs of width 0."""

    def forward(self, hidden: Tensor, bias: Tensor | None = None, query_states: Tensor | None = None) -> Tensor:
        """(B, T, H) to (B, T, 0), or with query_states (B, S, H) to (B, S, 0)."""
        return (hidden if query_states is None else query_states)[..., :0]


class BiasOnly(nn.Module):
    """A linear layer without inputs: only its bias remains."""

    def __init__(self, bias: nn.Parameter) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, inner: Tensor) -> Tensor:
        """(B, T, 0) to (B, T, H)."""
        return self.bias.expand(*inner.shape[:-1], -1)


def encoder_of(model: nn.Module) -> Encoder:
    """The encoder of a classifier; ModelError if it is not one of ours."""
    bert = model.bert if isinstance(model, Network) else None
    if not isinstance(bert, Bert) or bert.encoder is None:
        raise ModelError("ziplm removes heads and neurons of our own BERTs only. Try: model=bert-tiny, or another BERT")
    return bert.encoder


def layer_of(model: nn.Module, sublayer: Sublayer) -> Layer:
    """The layer that a sublayer belongs to."""
    return cast(Layer, encoder_of(model).layer[sublayer.layer])


def sublayers(model: nn.Module) -> list[Sublayer]:
    """All sublayers of all layers, the lowest layer first."""
    return [Sublayer(layer, part) for layer in range(len(encoder_of(model).layer)) for part in (ATTENTION, FFN)]


def output_of(layer: Layer, part: str) -> ResidualOutput:
    """The output layer of a sublayer, which reads its heads or neurons."""
    return layer.attention.output if part == ATTENTION else layer.output


def group_of(layer: Layer, part: str) -> int:
    """Columns of the output's weight that belong together: the size of a head, or 1."""
    return layer.attention.self.head_size if part == ATTENTION else 1


def width_of(layer: Layer, part: str) -> int:
    """The heads or neurons that remain."""
    dense = output_of(layer, part).dense
    return 0 if isinstance(dense, BiasOnly) else dense.in_features // group_of(layer, part)


def widths(model: nn.Module) -> list[list[int]]:
    """The heads and neurons of each layer."""
    layers = [cast(Layer, layer) for layer in encoder_of(model).layer]
    return [[width_of(layer, part) for part in (ATTENTION, FFN)] for layer in layers]


def cut_sublayer(layer: Layer, part: str, kept: Sequence[int], weight: Tensor, bias: Tensor) -> None:
    """Keep only these heads or neurons; weight (H, kept columns) and bias (H,) replace the output layer's."""
    output = output_of(layer, part)
    if not kept:
        output.dense = BiasOnly(nn.Parameter(bias.clone(), output.dense.bias.requires_grad))  # type: ignore[assignment]
        if part == ATTENTION:
            layer.attention.self = EmptySublayer()  # type: ignore[assignment]
        else:
            layer.intermediate = EmptySublayer()  # type: ignore[assignment]
        return
    attention = layer.attention.self
    inputs = [attention.query, attention.key, attention.value] if part == ATTENTION else [layer.intermediate.dense]
    rows = group_columns(kept, group_of(layer, part)).to(weight.device)
    for linear in inputs:
        _replace(linear, linear.weight[rows], linear.bias[rows])
    _replace(output.dense, weight, bias)


def _replace(linear: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Give a linear layer other tensors, and set its sizes to match."""
    is_trained = linear.weight.requires_grad
    linear.weight = nn.Parameter(weight.detach().clone(), is_trained)
    linear.bias = nn.Parameter(bias.detach().clone(), is_trained)
    linear.out_features, linear.in_features = weight.shape


def record_widths(model: Network) -> None:
    """Write the widths into `model.architecture`, in the place of those of an earlier cut."""
    others = [entry for entry in model.architecture.get("compressed", []) if entry["method"] != "ziplm"]
    model.architecture["compressed"] = [*others, {"method": "ziplm", "layers": widths(model)}]


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Cut a freshly built model to the recorded widths. Any heads may stay, because weights are loaded afterwards."""
    for sublayer in sublayers(model):
        layer, count = layer_of(model, sublayer), description["layers"][sublayer.layer][sublayer.part == FFN]
        if count < width_of(layer, sublayer.part):
            dense = output_of(layer, sublayer.part).dense
            weight = dense.weight[:, : count * group_of(layer, sublayer.part)]
            cut_sublayer(layer, sublayer.part, range(count), weight, dense.bias)
    return model
