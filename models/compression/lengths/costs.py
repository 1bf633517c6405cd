"""Multiply-adds of an encoder whose layers drop tokens, computed by formula because a search needs them often.

Only matrix products count, as in runner/measure/macs.py, which measures a running model and agrees to within 0.5 %.
For a layer of width d with attention width a and f neurons, n tokens entering and k leaving, the terms are: 3 n d a for
queries, keys and values, 2 n^2 a for the attention, k a d for its projection, and 2 k d f for the feed-forward block.
Source: Kim & Cho 2021, Length-Adaptive Transformer, arXiv 2010.07003. It gathers the kept tokens after the projection;
gathering before it gives the same result and saves (n - k) a d.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from torch import nn

from models.backbones.attention import SelfAttention
from models.backbones.bert import Layer
from models.backbones.lengths import Lengths
from models.compression.structured.layer_widths import encoder_of, widths
from models.network import Network


@dataclass(frozen=True)
class LayerShape:
    """The sizes of one layer; a pruned one has fewer heads or neurons than the others, or none."""

    attention: int  # heads x head size
    heads: int
    neurons: int


@dataclass(frozen=True)
class EncoderShape:
    """The sizes of an encoder that determine its cost."""

    hidden: int
    layers: tuple[LayerShape, ...]
    first: int | None = None  # how many first tokens of each text the last layer computes; None: all
    reorders: bool = True  # does that last layer avoid computing keys and values of every token (`attend_from`)?
    gathers_early: bool = True  # are tokens dropped before the attention's projection?

    @classmethod
    def uniform(cls, layers: int, hidden: int, neurons: int, *, gathers_early: bool = True) -> EncoderShape:
        """An encoder of equal layers whose attention is as wide as its states, with a head size of 64."""
        return cls(hidden, (LayerShape(hidden, hidden // 64, neurons),) * layers, gathers_early=gathers_early)

    @classmethod
    def of(cls, model: nn.Module) -> EncoderShape:
        """The shape of a network with our encoder; ModelError for other encoders."""
        network, layers = cast(Network, model), []
        hidden = network.architecture["hidden_size"]
        for layer, (heads, neurons) in zip(encoder_of(model).layer, widths(model)):
            size = cast(Layer, layer).attention.self.head_size if heads else 0
            layers.append(LayerShape(heads * size, heads, neurons))
        last = cast(Layer, encoder_of(model).layer[-1]).attention.self
        reorders = isinstance(last, SelfAttention) and last.is_plain()
        return cls(hidden, tuple(layers), network.bert.pooler.first, reorders)

    def layer_macs(self, layer: int, entering: int, leaving: int) -> int:
        """Multiply-adds of a layer, counted from 0, for these numbers of entering and leaving tokens."""
        d, shape = self.hidden, self.layers[layer]
        a, f, n, k = shape.attention, shape.neurons, entering, leaving
        if layer == len(self.layers) - 1 and self.first is not None:
            few = min(self.first, n)
            if self.reorders:
                return few * (4 * a * d + 2 * shape.heads * n * d + 2 * d * f)
            return 2 * n * d * a + few * (2 * a * d + 2 * n * a + 2 * d * f)
        projected = k if self.gathers_early else n
        return 3 * n * d * a + 2 * n * n * a + projected * a * d + 2 * k * d * f

    def macs(self, length: int, leaving: Sequence[int] | None = None) -> int:
        """Multiply-adds for a text of `length` tokens; leaving: how many tokens leave each layer; None: all."""
        counts = [length, *(leaving or [length] * len(self.layers))]
        return sum(self.layer_macs(layer, *counts[layer : layer + 2]) for layer in range(len(self.layers)))

    @property
    def searched(self) -> int:
        """How many of the lowest layers have lengths to search: not the last one if only first tokens are read."""
        return len(self.layers) - (self.first is not None)

    @property
    def without_heads(self) -> frozenset[int]:
        """The layers, from 0, that have no heads and so keep all tokens that enter them."""
        return frozenset(number for number, layer in enumerate(self.layers) if not layer.heads)


@dataclass(frozen=True)
class TextCosts:
    """Costs at given lengths, absolute or relative to the full model, over texts with these token counts, (texts,)."""

    shape: EncoderShape
    counts: np.ndarray

    @cached_property
    def _distinct(self) -> list[tuple[int, int]]:
        values, times = np.unique(self.counts, return_counts=True)
        return [(int(value), int(count)) for value, count in zip(values, times)]

    @cached_property
    def full(self) -> float:
        """Mean multiply-adds of a text at full length."""
        return self.mean(None)

    def mean(self, lengths: Lengths | None) -> float:
        """Mean multiply-adds per text, each text alone, without padding."""
        total = 0
        for count, times in self._distinct:
            leaving = None if lengths is None else lengths.kept_of(count)
            total += times * self.shape.macs(count, leaving)
        return total / len(self.counts)

    def share(self, lengths: Lengths | None) -> float:
        """Mean multiply-adds as a share of the full model's, 0..1."""
        return self.mean(lengths) / self.full
