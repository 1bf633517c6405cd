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


def test_of_many_tokens_the_twenty_highest_starts_and_ends_are_combined() -> None:
    random, unlike = np.random.default_rng(1), 0
    for _ in range(30):
        starts, ends = random.normal(size=(2, 60))
        pairs = [(i, j) for i in range(60) for j in range(i, min(60, i + 2))]
        chosen = [set(sorted(range(60), key=lambda i: -values[i])[:20]) for values in (starts, ends)]
        among = [(i, j) for i, j in pairs if i in chosen[0] and j in chosen[1]]
        best, best_of_all = (max(some, key=lambda pair: starts[pair[0]] + ends[pair[1]]) for some in (among, pairs))
        unlike += best != best_of_all
        assert best_span(starts, ends, 2) == (*best, starts[best[0]] + ends[best[1]])
    assert unlike, "as in the script, the best of all may be missed"


def test_where_the_best_ends_come_before_the_best_starts_all_are_tried() -> None:
    starts, ends = np.arange(60.0), -np.arange(60.0)
    first, last, score = best_span(starts, ends, 1)
    assert first == last == 0 and score == 0.0


def test_probabilities_are_those_of_a_window() -> None:
    kept = np.array([[1.0, 0.0], [2.0, 0.0], [0.5, 3.0], [0.5, 1.0], [4.0, 1.0]], np.float32)
    shares = window_probabilities(kept, np.array([0, 2, 5]))
    np.testing.assert_allclose(np.add.reduceat(shares, [0, 2]), 1.0)
    np.testing.assert_allclose(shares[:2, 0], np.exp([1.0, 2.0]) / np.exp([1.0, 2.0]).sum(), rtol=1e-6)
    np.testing.assert_allclose(window_probabilities(kept + 2000, np.array([0, 2, 5])), shares, rtol=1e-3)
