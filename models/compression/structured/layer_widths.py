"""An encoder with fewer heads, fewer neurons, or layers that lack a half: cut for good and built again from a file.

What is left of an attention or feed-forward half without any is LayerNorm(x + bias).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from models.backbones.attention import ResidualOutput
from models.backbones.bert import Bert, Encoder, Layer
from models.compression.structured.optimal_brain_surgeon import columns
from models.errors import ModelError
from models.network import SequenceClassifier

ATTENTION, FFN = "attention", "ffn"


class Block(NamedTuple):
    """Half a layer: its heads or its neurons."""

    layer: int  # from 0
    kind: str


class Nothing(nn.Module):
    """In the place of heads or neurons that are all gone: results of width 0."""

    def forward(self, hidden: Tensor, bias: Tensor | None = None, query_states: Tensor | None = None) -> Tensor:
        """(B, T, H), or (B, S, H) of those that ask, to the same with H = 0."""
        return (hidden if query_states is None else query_states)[..., :0]


class Bias(nn.Module):
    """What is left of a linear layer that reads nothing."""

    def __init__(self, bias: nn.Parameter) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, inner: Tensor) -> Tensor:
        """(B, T, 0) to (B, T, H)."""
        return self.bias.expand(*inner.shape[:-1], -1)


def encoder_of(model: nn.Module) -> Encoder:
    """The encoder of a SequenceClassifier; ModelError where it is not ours."""
    bert = model.bert if isinstance(model, SequenceClassifier) else None
    if not isinstance(bert, Bert) or bert.encoder is None:
        raise ModelError("ziplm cuts heads and neurons of BERTs of our own. Try: model=bert-tiny, or another BERT")
    return bert.encoder


def layer_of(model: nn.Module, block: Block) -> Layer:
    """The layer that a block is half of."""
    found: Layer = encoder_of(model).layer[block.layer]  # type: ignore[assignment]
    return found


def blocks(model: nn.Module) -> list[Block]:
    """All halves of all layers, from below."""
    return [Block(layer, kind) for layer in range(len(encoder_of(model).layer)) for kind in (ATTENTION, FFN)]


def output_of(layer: Layer, kind: str) -> ResidualOutput:
    """Where a half reads its heads or neurons."""
    return layer.attention.output if kind == ATTENTION else layer.output


def group_of(layer: Layer, kind: str) -> int:
    """Columns of the output's weight that belong together: the size of a head, or 1."""
    return layer.attention.self.head_size if kind == ATTENTION else 1


def width_of(layer: Layer, kind: str) -> int:
    """Heads or neurons left."""
    dense = output_of(layer, kind).dense
    return 0 if isinstance(dense, Bias) else dense.in_features // group_of(layer, kind)


def widths(model: nn.Module) -> list[list[int]]:
    """Heads and neurons of each layer."""
    return [[width_of(layer, kind) for kind in (ATTENTION, FFN)] for layer in encoder_of(model).layer]  # type: ignore[arg-type]


def cut(layer: Layer, kind: str, kept: Sequence[int], weight: Tensor, bias: Tensor) -> None:
    """Keep these heads or neurons only; weight (H, kept columns) and bias (H,) are the output's from now on."""
    output = output_of(layer, kind)
    if not kept:
        output.dense = Bias(nn.Parameter(bias.clone(), output.dense.bias.requires_grad))  # type: ignore[assignment]
        if kind == ATTENTION:
            layer.attention.self = Nothing()  # type: ignore[assignment]
        else:
            layer.intermediate = Nothing()  # type: ignore[assignment]
        return
    attention = layer.attention.self
    makers = [attention.query, attention.key, attention.value] if kind == ATTENTION else [layer.intermediate.dense]
    rows = columns(kept, group_of(layer, kind)).to(weight.device)
    for maker in makers:
        _put(maker, maker.weight[rows], maker.bias[rows])
    _put(output.dense, weight, bias)


def _put(linear: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    """Give a linear layer other tensors and the sizes that go with them."""
    is_trained = linear.weight.requires_grad
    linear.weight = nn.Parameter(weight.detach().clone(), is_trained)
    linear.bias = nn.Parameter(bias.detach().clone(), is_trained)
    linear.out_features, linear.in_features = weight.shape


def describe(model: Any) -> None:
    """Write the widths into `model.architecture`; they replace those of an earlier cut."""
    others = [entry for entry in model.architecture.get("compressed", []) if entry["method"] != "ziplm"]
    model.architecture["compressed"] = [*others, {"method": "ziplm", "layers": widths(model)}]


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """The model with the described widths; which heads and neurons stay does not matter, as weights follow."""
    for block in blocks(model):
        layer, count = layer_of(model, block), description["layers"][block.layer][block.kind == FFN]
        if count < width_of(layer, block.kind):
            dense = output_of(layer, block.kind).dense
            kept = range(count)
            cut(layer, block.kind, kept, dense.weight[:, : count * group_of(layer, block.kind)], dense.bias)
    return model
