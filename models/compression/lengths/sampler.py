"""Random lengths for one pass of a training: LengthDrop and LayerDrop.

Each layer drops a random share of the tokens that enter it, at most `drop`, and each is left out with a probability.
Source: Length-Adaptive Transformer, arXiv 2010.07003, sections 3.1 and 3.2. Its code draws whole numbers of tokens
between the same bounds; shares fit texts of any length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.backbones.lengths import Lengths


@dataclass(frozen=True)
class Shape:
    """The lengths of one pass, and the layers that it leaves out."""

    lengths: Lengths
    skipped: frozenset[int] = frozenset()


def shortest(layers: int, drop: float) -> Lengths:
    """The lengths of layers that all drop the largest share."""
    return Lengths((1.0 - drop,) * layers)


def draw_skipped(layers: int, layer_drop: float, random: np.random.Generator) -> frozenset[int]:
    """The layers, from 0, that a pass leaves out, each with probability `layer_drop`."""
    return frozenset(np.flatnonzero(random.random(layers) < layer_drop).tolist())


def draw_shapes(layers: int, count: int, drop: float, layer_drop: float, random: np.random.Generator) -> list[Shape]:
    """The shorter passes of one batch: the shortest, and `count` of random lengths."""
    lengths = [shortest(layers, drop)]
    for _ in range(count):
        lengths.append(Lengths(tuple(random.uniform(1.0 - drop, 1.0, layers).tolist())))
    return [Shape(values, draw_skipped(layers, layer_drop, random)) for values in lengths]
