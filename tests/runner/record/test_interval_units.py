"""The units, and their number, that the recorded intervals of a split are over."""

from __future__ import annotations

from runner.record.interval_units import interval_units


def test_the_intervals_of_a_ranking_are_over_its_queries_and_others_over_rows() -> None:
    assert interval_units({"test/examples": 872}, "test") == (872, "rows")
    assert interval_units({"test/examples": 128, "test/queries": 16}, "test") == (16, "queries")
    assert interval_units({"val/queries": 3}, "test") == (0, "rows")
