"""Class weights as scikit-learn defines them."""

from __future__ import annotations

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from data.targets.class_weights import balanced_weights


def test_balanced_weights_equal_scikit_learns() -> None:
    labels = np.array([0] * 700 + [1] * 250 + [2] * 50)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(balanced_weights(labels, 3), expected, rtol=1e-6)


def test_a_class_without_training_rows_weighs_nothing() -> None:
    assert balanced_weights(np.array([0, 0, 2]), 3)[1] == 0.0
