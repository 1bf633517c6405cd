"""The scales of n-grams: naive-Bayes ratios of a toy set by hand, and the plain ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_matrix

from runner.training.ngram.weighting import NB, PRESENCE, TFIDF, column_scales

ROWS = csc_matrix(np.array([[1.0, 1, 0], [1, 0, 1], [0, 1, 1]]))  # "a b", "a c", "b c"
POSITIVE = np.array([[True, True, False]])


def test_log_count_ratios_of_a_toy_set() -> None:
    found = column_scales(NB, ROWS, POSITIVE)
    assert found[0] == pytest.approx([np.log(15 / 7), np.log(5 / 7), np.log(5 / 7)])
    assert found[0] == pytest.approx([0.762140, -0.336472, -0.336472], abs=1e-6)
    both = column_scales(NB, ROWS, np.vstack([~POSITIVE, POSITIVE]))
    assert both[0] == pytest.approx(-both[1])


def test_scales_of_presence_and_of_tfidf() -> None:
    assert column_scales(PRESENCE, ROWS, POSITIVE).tolist() == [[1.0, 1.0, 1.0]]
    assert column_scales(TFIDF, ROWS, POSITIVE)[0] == pytest.approx([np.log(3 / 2) + 1] * 3)
