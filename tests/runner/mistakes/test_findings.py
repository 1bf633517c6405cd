"""Shares in words, and what flags of wrong labels are worth."""

from __future__ import annotations

from dataclasses import replace

from runner.mistakes.findings import ClassScores, Findings, SuspectLabel, SuspectLabels, share_in_words
from runner.mistakes.page import errors_page
from runner.mistakes.run_data import Place
from runner.mistakes.sentences import summary


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


def test_labels_that_models_no_better_than_a_constant_doubt_are_a_weak_hint() -> None:
    good, bad = (SuspectLabels((), 900, accuracy, majority=0.5) for accuracy in (0.8, 0.5))
    assert good.worth == "about half of the first 100 may be wrong labels, the others hard or rare rows"
    assert bad.worth.startswith("a weak hint: the accuracy of the n-gram models behind it is 0.500, that of always")
    suspect = SuspectLabel(Place("a.csv", 1, 2), "no", "yes", 0.1, 0.9, "a text")
    classes, counts = (ClassScores("no", 10, 9, 9), ClassScores("yes", 0, 1, 0)), [[9, 1], [0, 0]]
    found = Findings(
        "t", "i", "test", 10, 9, classes, counts, "score", (), (), suspects=replace(bad, flagged=(suspect,))
    )
    assert any("1 of 900 training rows may be mislabelled (a weak hint: " in line for line in summary(found))
    assert "all in errors.csv. A weak hint: the accuracy" in errors_page(found, [])
