"""The findings in a few sentences."""

from __future__ import annotations

from runner.mistakes.findings import ClassScores, Copies, Findings, SuspectLabels
from runner.mistakes.sentences import summary
from runner.statistics.slices import SliceResult

CLASSES = (
    ClassScores("a", 40, 60, 20, (("b", 20),)), ClassScores("b", 50, 30, 30, (("a", 15), ("c", 5))),
    ClassScores("c", 60, 60, 60), ClassScores("rare", 1, 0, 0, (("a", 1),)),
)  # fmt: skip
COUNTS = [[20, 20, 0, 0], [15, 30, 5, 0], [0, 0, 60, 0], [1, 0, 0, 0]]
FOUND = Findings("dsn files", "0123456789", "test", 151, 110, CLASSES, COUNTS, "confidence", (), ())


def test_weak_classes_lead_and_a_class_of_one_row_is_not_judged() -> None:
    said = summary(FOUND)
    assert said[0].startswith("a: F1 0.400, recall 0.500 [") and said[0].endswith("most often answered with b (20).")
    assert said[1].startswith("b: ") and not any(line.startswith(("c:", "rare:")) for line in said)
    assert "Most frequent mistake: a answered with b, 20 of 41 mistakes." in said


def test_slices_labels_and_copies_are_named() -> None:
    slow = SliceResult("30 to 90 words", 40, 10, 0.25, 0.1, 0.4, 0.9, 1e-6, 1e-5)
    copies = Copies(3, 3, 0, 0, 150, 900, ())
    said = summary(
        Findings(
            "t", "i", "test", 151, 110, CLASSES, COUNTS, "score", (), (), (slow,), SuspectLabels((), 900, 0.8), copies
        )
    )
    assert "30 to 90 words: 0.250 of 40 rows right, 0.900 of the rest." in said
    assert "No training row of 900 looks mislabelled." in said and "3 rows have a text that is also in train." in said
    said = summary(Findings("t", "i", "test", 151, 110, CLASSES, COUNTS, "score", (), (), (), no_texts="it is gone"))
    assert said[-1] == "No texts: it is gone."


def test_no_suspect_label_means_little_where_the_models_know_nothing() -> None:
    weak = SuspectLabels((), 900, 0.5, majority=0.5)
    said = summary(Findings("t", "i", "test", 151, 110, CLASSES, COUNTS, "score", (), (), (), weak, None))
    assert (
        "No training row of 900 looks mislabelled (a weak hint: the accuracy of the n-gram models behind it is 0.500, "
        "that of always answering the largest class 0.500)."
    ) in said
