"""Pairs of rows of one class and of two, drawn round by round."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from runner.training.few_labels.pairs import Pairs, pair_counts, pairs_a_row

CLASSES = np.repeat([0, 1, 2], [8, 4, 8])


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(CLASSES, (62, 128)), (np.repeat([0, 1], 500), (249_500, 250_000)), (np.array([3, 3]), (1, 0))],
)
def test_the_different_pairs_are_counted(labels: np.ndarray, expected: tuple[int, int]) -> None:
    """SetFit: oversampling makes twice the larger number of pairs (256, 500,000), undersampling the smaller (124)."""
    assert pair_counts(labels) == expected
    rows = len(labels)
    assert sum(pair_counts(labels)) == rows * (rows - 1) // 2


@pytest.mark.parametrize(
    ("rows", "pairs", "in_all"),
    [(20, 20, 800), (500, 20, 20_000), (1000, 10, 20_000), (1001, 10, 20_020), (2000, 5, 20_000), (50_000, 1, 100_000)],
)
def test_there_are_about_20000_pairs_at_most_20_of_each_kind_a_row(rows: int, pairs: int, in_all: int) -> None:
    assert pairs_a_row("auto", rows) == pairs and 2 * pairs * rows == in_all


def test_each_row_has_one_pair_of_both_kinds_in_two_rounds_and_never_itself() -> None:
    random = np.random.default_rng(0)
    labels = random.permutation(CLASSES)
    pairs, met = Pairs(labels, 0), set[tuple[int, int]]()
    for first in range(0, 400, 2):
        rounds = [pairs.round(number) for number in (first, first + 1)]
        same = np.array([labels == labels[others] for others in rounds])
        assert (same.sum(0) == 1).all()
        assert all((others != np.arange(20)).all() for others in rounds)
        met |= {(min(pair), max(pair)) for others in rounds for pair in enumerate(others.tolist())}
    assert len(met) == sum(pair_counts(labels)), "every pair is drawn sooner or later"
    np.testing.assert_array_equal(Pairs(labels, 0).round(7), pairs.round(7))
    assert (Pairs(labels, 1).round(7) != pairs.round(7)).any()


def test_the_only_row_of_a_class_is_paired_with_itself() -> None:
    labels = np.array([0, 1, 1, 1, 2])
    drawn = np.stack([Pairs(labels, 0).round(number) for number in range(40)])
    assert set(drawn[:, 0].tolist()) == {0, 1, 2, 3, 4} and set(drawn[:, 4].tolist()) == {0, 1, 2, 3, 4}
    assert (labels[drawn[:, 0]] == 0).sum() == 20


def test_memory_grows_with_the_rows_and_not_with_their_pairs() -> None:
    labels = np.random.default_rng(0).integers(0, 2, 100_000)  # 5,000,000,000 pairs
    tracemalloc.start()
    Pairs(labels, 0).round(3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * len(labels)
