"""Sentences and tables about a run; names from outside stay text."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from runner.record.descriptions import class_table, constant_answers, is_shown, score_label
from runner.record.record import RunRecord
from tests.records import a_record

DATA = {"primary": "test/accuracy", "rows": {"train": 9, "val": 4, "test": 4}, "task": "classification"}
REPORT: dict[str, Any] = {
    "classes": ["ok", "[b]fraud[/b]"], "support": [1, 3], "predicted": [4, 0], "precision": [0.25, 0.0],
    "recall": [1.0, 0.0], "f1": [0.4, 0.0], "confusion": None,
}  # fmt: skip


def record(**changes: Any) -> RunRecord:
    """A run with two classes and a report on its test split."""
    data = DATA | {"labels": REPORT["classes"], "positive": "[b]fraud[/b]"}
    return a_record(data=data, reports={"test": REPORT}, **changes)


def test_a_model_that_gives_one_answer_is_named_with_the_answer() -> None:
    found = record(metrics={"test/constant_predictions": 1.0, "val/constant_predictions": 0.0})
    assert list(constant_answers(found)) == ["the model answers 'ok' to every row of test"]


def test_one_set_of_labels_for_every_row_is_not_called_one_label() -> None:
    found = a_record(
        data=DATA | {"task": "multilabel", "labels": REPORT["classes"]}, reports={"test": REPORT},
        metrics={"test/constant_predictions": 1.0},
    )  # fmt: skip
    assert list(constant_answers(found)) == ["the model gives every row of test the same set of labels, or none"]


def test_the_table_of_classes_is_sorted_by_their_rows_and_shows_names_as_text() -> None:
    table = class_table(record())
    console = Console(width=100)
    with console.capture() as captured:
        console.print(table)
    shown = captured.get()
    assert shown.index("[b]fraud[/b]") < shown.index("ok ") and "classes of test" in shown
    assert class_table(a_record(data=DATA)) is None


def test_scores_of_one_class_name_it_and_details_are_left_out() -> None:
    assert score_label(record(), "test/f1") == "test/f1 ([b]fraud[/b])"
    assert score_label(record(), "test/accuracy") == "test/accuracy"
    shown = [
        name for name in ("test/accuracy", "test/precision", "test/f1_low", "val/f1_macro") if is_shown(record(), name)
    ]
    assert shown == ["test/accuracy"]
