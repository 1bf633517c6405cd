"""Logits become probabilities that add up, and predictions become rows of a table."""

from __future__ import annotations

import numpy as np

from runner.deploy.predictor import answer_row, softmax


def test_probabilities_add_up_whatever_the_logits() -> None:
    shares = softmax(np.array([[1000.0, 0.0], [-5.0, -5.0]], dtype=np.float32))
    assert shares.dtype == np.float64 and shares.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_a_prediction_is_a_row_with_one_column_for_each_label() -> None:
    assert answer_row({"prediction": "a", "probabilities": {"a": 0.75, "b": 0.25}}) == {
        "prediction": "a",
        "p_a": 0.75,
        "p_b": 0.25,
    }
    assert answer_row({"prediction": 3.5}) == {"prediction": 3.5}
