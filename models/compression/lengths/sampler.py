"""Random lengths for one training pass: LengthDrop and LayerDrop.

Each layer keeps a random number of tokens, at least as many as at the shortest lengths, and is skipped with a given
probability.
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


def draw_lengths(least: Lengths, longest: int, random: np.random.Generator) -> Lengths:
    """Random lengths between `least` and all tokens; longest: of a text, in tokens, for absolute lengths."""
    if least.mode == "ratio":
        return Lengths(tuple(random.uniform(least.values, 1.0).tolist()))
    drawn = random.integers(np.array(least.parts), max(longest, least.parts[0]), endpoint=True)
    return Lengths(tuple(np.minimum.accumulate(drawn).tolist()), "absolute")


def draw_shapes(
    least: Lengths, count: int, layer_drop: float, random: np.random.Generator, longest: int = 0
) -> list[Shape]:
    """The shorter passes of one batch: one at the lengths `least`, and `count` at random lengths up to all tokens."""
    lengths = [least] + [draw_lengths(least, longest, random) for _ in range(count)]
    return [Shape(values, draw_skipped(len(least.values), layer_drop, random)) for values in lengths]
