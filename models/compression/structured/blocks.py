"""Locates heads and neurons in each kind of encoder block: our own BERT's, and those of three families.

A head or neuron consists of rows of the layers that compute it and columns of the layer that reads it; they are removed
together. A fused layer (ModernBERT's queries, keys and values; a gated feed-forward part) is split into stretches of
equal height, and each stretch has rows of every head or neuron. An empty sublayer leaves the reading layer's bias.
Masking columns and cutting layers give the same outputs: tests/models/compression/structured/test_blocks.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from torch import Tensor, nn

from models.backbones.bert import Bert, Layer
from models.compression.pruning.masks import block_lists
from models.errors import ModelError
from models.network import Network

ATTENTION, FFN = "attention", "ffn"


class EmptySublayer(nn.Module):
    """Replaces heads or neurons if all are removed: outputs of width 0."""

    def forward(self, hidden: Tensor, bias: Tensor | None = None, query_states: Tensor | None = None) -> Tensor:
        """(B, T, H) to (B, T, 0), or with query_states (B, S, H) to (B, S, 0)."""
        return (hidden if query_states is None else query_states)[..., :0]


class BiasOnly(nn.Module):
    """A linear layer with no inputs: only its bias remains."""

    def __init__(self, bias: nn.Parameter) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, inner: Tensor) -> Tensor:
        """(B, T, 0) to (B, T, H)."""
        return self.bias.expand(*inner.shape[:-1], -1)


class ZerosOnly(nn.Module):
    """A linear layer with neither inputs nor a bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, inner: Tensor) -> Tensor:
        """(B, T, 0) to (B, T, H), zeros."""
        return inner.new_zeros(*inner.shape[:-1], self.width)


Rest = BiasOnly | ZerosOnly


class EmptyAttention(nn.Module):
    """Replaces a transformers attention module if no heads remain; returns its output and no attention weights."""

    def __init__(self, name: str = "", rest: Rest | None = None) -> None:
        """name, rest: name and remainder of the layer that reads the heads, if it is inside the attention module."""
        super().__init__()
        if rest is not None:
            self.add_module(name, rest)

    def forward(self, hidden_states: Tensor, *_: object, **__: object) -> tuple[Tensor, None]:
        """(B, T, H) to (B, T, 0), or to (B, T, H) if the reading layer is inside."""
        none = hidden_states[..., :0]
        return next((rest(none) for rest in self.children()), none), None


class EmptyFeedForward(nn.Module):
    """Replaces a feed-forward part, including its reading layer, if no neurons remain."""

    def __init__(self, name: str, rest: Rest) -> None:
        super().__init__()
        self.add_module(name, rest)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """(B, T, H) to (B, T, H)."""
        out: Tensor = next(self.children())(hidden_states[..., :0])
        return out


@dataclass(frozen=True)
class Part:
    """One sublayer of a kind of block; modules are given by their dotted names within the block."""

    made_by: tuple[str, ...]  # linear layers whose rows compute the heads or neurons
    read_by: str  # the linear layer whose columns read them
    whole: str  # the module to replace if no heads or neurons remain
    empty: type[nn.Module]  # its replacement
    stretches: int = 1  # stretches in each of the layers in made_by
    head_size: str = ""  # the attribute with the width of a head; "" for neurons
    norm: str = ""  # the norm before the sublayer, removed with it if no bias remains; "" if there is none


_BERT_FFN = Part(("intermediate.dense",), "output.dense", "intermediate", EmptySublayer)


def _bert_attention(head_size: str, empty: type[nn.Module]) -> Part:
    made_by = tuple(f"attention.self.{name}" for name in ("query", "key", "value"))
    return Part(made_by, "attention.output.dense", "attention.self", empty, head_size=head_size)


OURS = {ATTENTION: _bert_attention("attention.self.head_size", EmptySublayer), FFN: _BERT_FFN}
_BERT = {ATTENTION: _bert_attention("attention.self.attention_head_size", EmptyAttention), FFN: _BERT_FFN}
_DISTILBERT = {
    ATTENTION: Part(
        ("attention.q_lin", "attention.k_lin", "attention.v_lin"), "attention.out_lin", "attention", EmptyAttention,
        head_size="attention.attention_head_size",
    ),
    FFN: Part(("ffn.lin1",), "ffn.lin2", "ffn.lin1", EmptySublayer),
}  # fmt: skip
_MODERNBERT = {
    ATTENTION: Part(
        ("attn.Wqkv",), "attn.Wo", "attn", EmptyAttention, stretches=3, head_size="attn.head_dim", norm="attn_norm"
    ),
    FFN: Part(("mlp.Wi",), "mlp.Wo", "mlp", EmptyFeedForward, stretches=2, norm="mlp_norm"),
}
# By the class names in transformers.
FAMILIES = {
    **dict.fromkeys(("BertLayer", "RobertaLayer", "XLMRobertaLayer", "CamembertLayer", "ElectraLayer"), _BERT),
    "TransformerBlock": _DISTILBERT,
    "ModernBertEncoderLayer": _MODERNBERT,
}


def parts_of(layer: nn.Module) -> dict[str, Part]:
    """The two sublayers of a block, by ATTENTION and FFN."""
    return OURS if isinstance(layer, Layer) else FAMILIES[type(layer).__name__]


def blocks_of(model: nn.Module) -> nn.ModuleList:
    """The blocks of a classifier's encoder, lowest first; ModelError if they are of an unknown kind."""
    bert = model.bert if isinstance(model, Network) else None
    if isinstance(bert, Bert) and bert.encoder is not None:
        return bert.encoder.layer
    lists = [found for name in block_lists(model) if isinstance(found := model.get_submodule(name), nn.ModuleList)]
    if len(lists) == 1 and all(type(layer).__name__ in FAMILIES for layer in lists[0]):
        return lists[0]
    raise ModelError(
        f"ziplm removes heads and neurons of encoders like BERT, RoBERTa, DistilBERT and ModernBERT, but "
        f"{_why_not(model, lists)}. Try: model=bert-tiny, or another of these"
    )


def _why_not(model: nn.Module, lists: list[nn.ModuleList]) -> str:
    """The kinds of blocks in a model that cannot be cut, or why single heads cannot be removed."""
    config = model.architecture.get("backbone", {}) if isinstance(model, Network) else {}
    heads, keys = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if keys and keys != heads:
        return f"{heads} heads of this model share the keys of {keys}, so no head can be removed alone"
    kinds = sorted({type(layer).__name__ for one in lists for layer in one})
    return f"this model has {', '.join(kinds)}" if kinds else "this model has no blocks"


def reading_module(layer: nn.Module, part: str) -> nn.Module:
    """The layer that reads a sublayer's heads or neurons, possibly quantized, or what is left of it."""
    return layer.get_submodule(parts_of(layer)[part].read_by)


def output_of(layer: nn.Module, part: str) -> nn.Linear | Rest:
    """The layer that reads a sublayer's heads or neurons, or what is left of it."""
    found = reading_module(layer, part)
    assert isinstance(found, nn.Linear | BiasOnly | ZerosOnly)
    return found


def linear_of(layer: nn.Module, part: str) -> nn.Linear:
    """The layer that reads a sublayer's heads or neurons, if any are left."""
    found = output_of(layer, part)
    assert isinstance(found, nn.Linear)
    return found


def replaced_layers(model: nn.Module) -> Iterator[str]:
    """The class names of those layers of heads and neurons that are not plain, such as quantized ones.

    What is left of a removed sublayer does not count. ModelError for blocks of an unknown kind.
    """
    for layer in blocks_of(model):
        for where in parts_of(layer).values():
            reader = layer.get_submodule(where.read_by)
            if isinstance(reader, BiasOnly | ZerosOnly):
                continue
            for part in (reader, *map(layer.get_submodule, where.made_by)):
                if not isinstance(part, nn.Linear):
                    yield type(part).__name__


def group_of(layer: nn.Module, part: str) -> int:
    """Columns of the reading layer's weight that belong together: the size of a head, or 1."""
    head_size = parts_of(layer)[part].head_size
    return int(attrgetter(head_size)(layer)) if head_size else 1


def replace_module(layer: nn.Module, name: str, module: nn.Module) -> None:
    """Replace the module with that dotted name."""
    owner, _, last = name.rpartition(".")
    layer.get_submodule(owner).add_module(last, module)


def empty_part(layer: nn.Module, part: str, rest: Rest) -> None:
    """Remove a sublayer; `rest` replaces the layer that read it."""
    where = parts_of(layer)[part]
    inner = where.read_by.removeprefix(f"{where.whole}.")
    if inner != where.read_by:  # the reading layer is inside the removed module
        replace_module(layer, where.whole, where.empty(inner, rest))
    else:
        replace_module(layer, where.whole, where.empty())
        replace_module(layer, where.read_by, rest)
    if where.norm and isinstance(rest, ZerosOnly):
        replace_module(layer, where.norm, nn.Identity())
