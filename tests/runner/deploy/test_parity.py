"""The rows that an export is compared on are spread over the lengths, and stay whole."""

from __future__ import annotations

import numpy as np
import pytest

from runner.deploy.parity import TOLERANCE, evenly_by_length, tolerated_difference


def test_rows_are_spread_from_the_shortest_to_the_longest() -> None:
    lengths = np.array([5, 1, 9, 3, 7])
    assert lengths[evenly_by_length(lengths, 3)].tolist() == [1, 5, 9]
    assert sorted(evenly_by_length(lengths, 64).tolist()) == [0, 1, 2, 3, 4]


def test_the_tolerance_is_in_the_unit_of_the_targets() -> None:
    assert tolerated_difference(None) == TOLERANCE
    assert tolerated_difference({"mean": 0.0, "sd": 10.0}) == pytest.approx(10 * TOLERANCE)
