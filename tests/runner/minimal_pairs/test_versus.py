"""Two models side by side: pair by pair, by group with Holm's correction, and only on the same pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from runner.errors import ConfigError
from runner.minimal_pairs.results import Line, PairReport, PairTable
from runner.minimal_pairs.versus import versus
from tests.runner.minimal_pairs.test_results import NAMES, report, table

GROUPS = [Line("one", ["a"], 40, 0.5, 0.4, 0.6, 0.0, 0.5, None, 0.0), Line("two", ["b"], 40, 1, 1, 1, 0, 0.5, None, 0)]


def both(first: np.ndarray, second: np.ndarray) -> tuple[tuple[PairReport, PairTable], tuple[PairReport, PairTable]]:
    return (report(), table(first)), (replace(report(), model="other"), table(second))


def test_differences_are_second_minus_first_and_groups_are_corrected() -> None:
    first = np.tile([0.0, 1.0], 40)
    second = np.where(NAMES == "a", 1.0, first)
    found = versus(*both(first, second), GROUPS)
    one, two, whole = found.lines
    assert (one.first, one.second, one.difference.mean) == (0.5, 1.0, 0.5)
    assert (two.difference.mean, two.p) == (0.0, 1.0)
    assert one.p == pytest.approx(2 * one.difference.p) and whole.p == whole.difference.p < 0.05
    assert (whole.name, whole.pairs, whole.difference.mean) == ("all", 80, 0.25)


def test_other_pairs_are_refused() -> None:
    first, second = both(np.ones(80), np.ones(80))
    second[1].numbers["row"][0] = 99
    with pytest.raises(ConfigError, match="were asked about different pairs"):
        versus(first, second, GROUPS)
