"""Random lengths stay within their bounds; layers are left out with their probability."""

from __future__ import annotations

import numpy as np

from models.backbones.lengths import Lengths
from models.compression.lengths.sampler import draw_lengths, draw_shapes, draw_skipped, shortest
from tests.models.backbones.test_lengths import SHRINKING


def test_the_shortest_lengths_are_the_published_ones() -> None:
    assert shortest(12, 0.2).kept_of(384) == SHRINKING
    assert shortest(6, 0.0).kept_of(384) == [384] * 6


def test_random_lengths_shrink_within_their_bounds() -> None:
    random, least = np.random.default_rng(0), np.array(SHRINKING)
    shapes = draw_shapes(shortest(12, 0.2), 1000, 0.0, random)
    assert shapes[0].lengths == shortest(12, 0.2) and len(shapes) == 1001
    drawn = np.array([shape.lengths.kept_of(384) for shape in shapes[1:]])
    assert (drawn >= least).all() and (np.diff(drawn, axis=1) <= 0).all() and (drawn <= 384).all()
    shares = drawn[:, 0] / 384
    assert abs(shares.mean() - 0.9) < 0.01 and shares.min() < 0.81 and shares.max() > 0.99
    assert not any(shape.skipped for shape in shapes)


def test_random_lengths_are_between_the_shortest_ones_and_all_tokens() -> None:
    random = np.random.default_rng(0)
    shares = np.array([draw_lengths(Lengths((0.9, 0.4)), 0, random).values for _ in range(500)])
    assert (shares >= [0.9, 0.4]).all() and shares.min(0).max() < 0.91 and shares.min() < 0.41 and shares.max() <= 1.0
    counts = np.array([draw_lengths(Lengths((30, 10), "absolute"), 50, random).kept_of(50) for _ in range(500)])
    assert counts.min(0).tolist() == [30, 10] and counts.max(0)[0] == 50 and (np.diff(counts, axis=1) <= 0).all()


def test_layers_are_left_out_with_their_probability() -> None:
    random = np.random.default_rng(0)
    assert draw_skipped(4, 1.0, random) == frozenset(range(4)) and draw_skipped(4, 0.0, random) == frozenset()
    assert abs(np.mean([len(draw_skipped(10, 0.2, random)) for _ in range(1000)]) - 2.0) < 0.1
