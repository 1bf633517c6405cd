"""Why a task is what it is, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runner.audit.tables import audit_file, rows_of


@pytest.mark.parametrize(
    ("labels", "words", "why"),
    [
        (("yes", "no"), (), "the labels are texts"),
        (("0", "1"), (), "the labels are whole numbers, and each is a class, as a text would be"),
        (("0.5", "1.25"), (), "the labels are numbers, and not all are whole"),
        (("0", "1"), ("data.task=regression",), "by data.task=regression"),
    ],
)
def test_the_reason_is_that_of_the_labels_or_of_a_setting(
    tmp_path: Path, labels: tuple[str, str], words: tuple[str, ...], why: str
) -> None:
    rows = [(text, labels[row % 2]) for row, (text, _) in enumerate(rows_of(60))]
    assert audit_file(tmp_path, rows, *words).task.why == why


def test_classes_are_counted_in_each_split_the_largest_first(tmp_path: Path) -> None:
    rows = [(text, "few" if row % 3 == 0 else "many") for row, (text, _) in enumerate(rows_of(90))]
    audit = audit_file(tmp_path, rows)
    assert [found.name for found in audit.labels.classes] == ["many", "few"]
    assert {split: sum(found.counts[split] for found in audit.labels.classes) for split in audit.splits} == audit.splits
    assert audit.labels.majority["train"] == pytest.approx(2 / 3, abs=0.02)
