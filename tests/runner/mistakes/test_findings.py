"""Shares in words."""

from __future__ import annotations

from runner.mistakes.findings import ClassScores, share_in_words


def test_a_share_of_all_rows_is_a_count_with_a_bound() -> None:
    assert share_in_words(12, 12) == "12 of 12 (at least 77.9 % with 95 % confidence)"
    assert "at least 99.7 %" in share_in_words(1000, 1000), "never 100 %, which no number of rows shows"
    assert share_in_words(9, 12).startswith("0.750 [0.4")
    assert share_in_words(0, 50).startswith("0.000 [0.000, 0.07")
    assert share_in_words(0, 0) == "-"


def test_a_class_that_never_occurs_has_an_f1_of_0() -> None:
    assert ClassScores("a", 0, 0, 0).f1 == 0.0
    one = ClassScores("a", 10, 20, 5)
    assert abs(one.f1 - 1 / 3) < 1e-12 and one.recall.startswith("0.500") and one.precision.startswith("0.250")
