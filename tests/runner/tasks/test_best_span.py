"""The best answer of one window, compared with a search of all pairs of tokens."""

from __future__ import annotations

import numpy as np
import pytest

from runner.tasks.best_span import best_span, window_probabilities


@pytest.mark.parametrize("most", [1, 4, 30])
def test_a_search_of_all_pairs_finds_nothing_better_among_few_tokens(most: int) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        starts, ends = random.integers(0, 6, (2, 15)).astype(float)
        pairs = [(i, j) for i in range(15) for j in range(i, min(15, i + most))]
        best = max(pairs, key=lambda pair: (starts[pair[0]] + ends[pair[1]], -pair[0], -pair[1]))
        assert best_span(starts, ends, most) == (*best, starts[best[0]] + ends[best[1]])


def test_where_the_best_ends_come_before_the_best_starts_all_are_tried() -> None:
    starts, ends = np.arange(60.0), -np.arange(60.0)
    first, last, score = best_span(starts, ends, 1)
    assert first == last == 0 and score == 0.0


def test_probabilities_are_those_of_a_window() -> None:
    kept = np.array([[1.0, 0.0], [2.0, 0.0], [0.5, 3.0], [0.5, 1.0], [4.0, 1.0]], np.float32)
    shares = window_probabilities(kept, np.array([0, 2, 5]))
    np.testing.assert_allclose(np.add.reduceat(shares, [0, 2]), 1.0)
    np.testing.assert_allclose(shares[:2, 0], np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum(), rtol=1e-6)
