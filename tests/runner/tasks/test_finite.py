"""Outputs that are not finite are refused, with their number."""

from __future__ import annotations

import numpy as np
import pytest

from runner.tasks.finite import refuse_not_finite


def test_rows_with_a_value_that_is_not_finite_are_counted_once() -> None:
    kept = np.zeros((4, 2), np.float32)
    refuse_not_finite(kept, "logits")
    kept[1] = np.nan, np.inf
    kept[3, 0] = -np.inf
    with pytest.raises(ValueError, match=r"the logits of 2 of 4 words are not finite.* Try: a smaller optimizer\.lr"):
        refuse_not_finite(kept, "logits", "words")
