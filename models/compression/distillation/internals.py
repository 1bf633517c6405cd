"""Captures an encoder's internal states in one forward pass: hidden states, attention scores, queries, keys, values.

The encoder itself is unchanged, and a forward pass without capture costs nothing extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import cast

from torch import Tensor, nn

from models.backbones.attention import SelfAttention
from models.backbones.bert import Bert, Layer
from models.backbones.hooks import Recorder
from models.compression.lengths.timing import full_length
from models.heads.linear import LinearHead
from models.network import reads_apart

PROJECTIONS = ("query", "key", "value")


@dataclass(frozen=True)
class Shape:
    """Which internal states of a model can be read. With no layers, only its logits can."""

    layers: int = 0
    width: int = 0
    heads: tuple[int, ...] = ()  # attention heads per layer, 0 if all are removed; () if another library has them
    projected: tuple[int, ...] = ()  # width of the queries per layer, less than `width` if heads are removed
    reads_apart: bool = False  # a bi-encoder: its states are of single texts, and masks of pairs do not apply to them


def shape_of(model: nn.Module) -> Shape:
    """The shape of a classifier's encoder. A bag of words or another library's classifier has no layers here."""
    if not isinstance(model, LinearHead):
        return Shape()
    architecture, bert, is_apart = model.architecture, model.bert, reads_apart(model)
    if isinstance(bert, Bert) and (encoder := bert.encoder) is not None:
        parts = [cast(Layer, layer).attention.self for layer in encoder.layer]
        sizes = [
            (part.query.out_features, part.head_size) if isinstance(part, SelfAttention) else (0, 1) for part in parts
        ]
        heads, projected = tuple(width // size for width, size in sizes), tuple(width for width, _ in sizes)
        return Shape(len(heads), architecture["hidden_size"], heads, projected, is_apart)
    if "backbone" in architecture:
        width, layers = bert.state_shape()
        return Shape(layers, width, reads_apart=is_apart)
    return Shape()


def attention_of(bert: Bert, layer: int) -> SelfAttention:
    """The self-attention module of a layer that has heads; layers count from 1."""
    assert bert.encoder is not None, "a bag of words has no layers"
    found = cast(Layer, bert.encoder.layer[layer - 1]).attention.self
    assert isinstance(found, SelfAttention), "mismatches refuses layers without heads"
    return found


@dataclass
class Internals:
    """The internal states of one forward pass, in fp32; layers count from 1."""

    logits: Tensor  # (B, C)
    states: list[Tensor]  # outputs of the embeddings and of each layer, (B, T, H) each
    projected: dict[tuple[int, str], Tensor] = field(default_factory=dict)  # (layer, query|key|value): (B, T, width)
    attentions: dict[int, SelfAttention] = field(default_factory=dict)
    vectors: Tensor | None = None  # output of the readout, (B, H)

    def scores(self, layer: int) -> Tensor:
        """A layer's scaled dot products before the mask and the softmax, (B, heads, T, T)."""
        attention = self.attentions[layer]
        query, key = (attention.split(self.projected[layer, name]) for name in ("query", "key"))
        return attention.scores(query, key, None)


def run_with_internals(model: nn.Module, inputs: dict[str, Tensor], layers: Iterable[int] = ()) -> Internals:
    """Run a model with a linear head once; keep all hidden states, and queries, keys and values of `layers`."""
    assert isinstance(model, LinearHead), "shape_of finds no layers in another"
    recorder, projected, handles = Recorder(), dict[tuple[int, str], Tensor](), []
    attentions = {layer: attention_of(cast(Bert, model.bert), layer) for layer in layers}
    for layer, attention in attentions.items():
        for name in PROJECTIONS:
            handles.append(attention.get_submodule(name).register_forward_hook(_keep_output(projected, (layer, name))))
    try:
        # Attention is compared token by token, so no layer may drop tokens.
        with full_length(model) if attentions else nullcontext():
            vectors = model.encode(**inputs, hooks=[recorder])
        logits = model.score(vectors)
    finally:
        for handle in handles:
            handle.remove()
    return Internals(logits.float(), [state.float() for state in recorder.states], projected, attentions, vectors)


def _keep_output(projected: dict[tuple[int, str], Tensor], key: tuple[int, str]) -> Callable[..., None]:
    def keep(module: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        projected[key] = output.float()

    return keep
