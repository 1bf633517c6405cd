"""Random lengths for one training pass: LengthDrop and LayerDrop.

Each layer drops a random share, at most `drop`, of the tokens that enter it, and is skipped with a given probability.
Source: Length-Adaptive Transformer, arXiv 2010.07003, sections 3.1 and 3.2. Its code draws whole numbers of tokens
between the same bounds; shares work for texts of any length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.backbones.lengths import Lengths


@dataclass(frozen=True)
class Shape:
    """The lengths of one pass, and the layers that it skips."""

    lengths: Lengths
    skipped: frozenset[int] = frozenset()


def shortest(layers: int, drop: float) -> Lengths:
    """The lengths if all layers drop the largest share."""
    return Lengths((1.0 - drop,) * layers)


def draw_skipped(layers: int, layer_drop: float, random: np.random.Generator) -> frozenset[int]:
    """The layers, from 0, that a pass skips, each with probability `layer_drop`."""
    return frozenset(np.flatnonzero(random.random(layers) < layer_drop).tolist())


def draw_shapes(layers: int, count: int, drop: float, layer_drop: float, random: np.random.Generator) -> list[Shape]:
    """The shorter passes of one batch: one at the shortest lengths, and `count` at random lengths."""
    lengths = [shortest(layers, drop)]
    for _ in range(count):
        lengths.append(Lengths(tuple(random.uniform(1.0 - drop, 1.0, layers).tolist())))
    return [Shape(values, draw_skipped(layers, layer_drop, random)) for values in lengths]
