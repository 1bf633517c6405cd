"""Slices are seeded, stratified and disjoint."""

from __future__ import annotations

import numpy as np

from data.load import class_weights
from data.split import cut, pick

LABELS = np.array([0] * 700 + [1] * 250 + [2] * 50)


def test_a_cut_is_disjoint_and_complete() -> None:
    kept, taken = cut(LABELS, 100, seed=0, stratify=True)
    assert len(taken) == 100
    assert np.array_equal(np.sort(np.concatenate([kept, taken])), np.arange(1000))


def test_a_stratified_cut_keeps_the_shares_of_the_classes() -> None:
    _, taken = cut(LABELS, 100, seed=0, stratify=True)
    assert np.bincount(LABELS[taken]).tolist() == [70, 25, 5]


def test_the_rarest_class_is_never_lost() -> None:
    labels = np.array([0] * 997 + [1] * 3)
    assert set(labels[pick(labels, 10, seed=0, stratify=True)]) == {0, 1}


def test_the_seed_decides() -> None:
    assert np.array_equal(pick(LABELS, 50, 1, True), pick(LABELS, 50, 1, True))
    assert not np.array_equal(pick(LABELS, 50, 1, True), pick(LABELS, 50, 2, True))


def test_balanced_class_weights_equal_scikit_learns() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(class_weights(LABELS, 3), expected, rtol=1e-6)
