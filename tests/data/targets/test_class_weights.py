"""Class weights as scikit-learn defines them, and halfway there."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from data.targets.class_weights import class_weights, positive_weights

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
