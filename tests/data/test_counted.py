"""A number agrees with its noun and its verb."""

from __future__ import annotations

from data.counted import counted


def test_only_one_is_singular() -> None:
    assert [counted(count, "row") for count in (0, 1, 2, 2000)] == ["0 rows", "1 row", "2 rows", "2,000 rows"]
    assert counted(1, "query has", "queries have") == "1 query has"
    assert counted(3, "query has", "queries have") == "3 queries have"
