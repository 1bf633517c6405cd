"""Class weights as scikit-learn defines them, and halfway there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from data.targets.class_weights import class_weights, positive_weights, weight_of

LABELS = np.array([0] * 700 + [1] * 250 + [2] * 50)


def test_balanced_weights_equal_scikit_learns() -> None:
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(class_weights("balanced", LABELS, 3), expected, rtol=1e-6)


def test_root_weights_fall_with_the_root_of_the_rows_and_are_1_on_average() -> None:
    weights = class_weights("sqrt", LABELS, 3)
    assert weights[2] / weights[0] == pytest.approx(np.sqrt(700 / 50), rel=1e-6)
    assert weights[LABELS].mean() == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("kind", ["balanced", "sqrt"])
def test_a_class_without_training_rows_weighs_nothing(kind: str) -> None:
    assert class_weights(kind, np.array([0, 0, 2]), 3)[1] == 0.0


def test_a_true_label_of_a_set_weighs_the_root_of_what_balances_it() -> None:
    sets = np.array([[1], [0], [0], [0], [0]])
    assert positive_weights("balanced", sets).tolist() == [4.0] and positive_weights("sqrt", sets).tolist() == [2.0]


@pytest.mark.parametrize("kind", ["balanced", "sqrt"])
def test_a_true_label_of_a_set_weighs_20_at_most_before_the_root_and_1_if_no_row_lacks_it(kind: str) -> None:
    counts = [1, 47, 48, 999, 1000]  # 952 / 48 is below 20, 953 / 47 above
    sets = (np.arange(1000)[:, None] < counts).astype(np.int8)
    wanted = np.array([20, 20, 952 / 48, 1 / 999, 1])
    np.testing.assert_allclose(positive_weights(kind, sets), wanted if kind == "balanced" else wanted**0.5, rtol=1e-6)


def test_the_weight_of_labels_is_summed_over_those_that_are_known() -> None:
    weights, known = np.array([0.5, 2.0, 8.0], np.float32), np.array([True, False, True])
    assert weight_of(np.array([2, 0, 1]), weights) == 10.5
    assert weight_of(np.array([2, -1, 1]), weights, known) == 10.0
    shares = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0, 0.75, 0.25]], np.float32)
    assert weight_of(shares, weights) == 1.25 + 8.0 + 3.5 and weight_of(shares, weights, known) == 4.75
