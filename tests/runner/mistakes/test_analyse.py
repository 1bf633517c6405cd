"""From stored answers to findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runner.mistakes.analyse import analyse
from tests.runner.mistakes.cases import NAMES, write_case


def test_mistakes_are_ordered_by_confidence_and_have_rows_texts_and_neighbours(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    found = analyse(answered, tmp_path / "out", tmp_path / "cache", print, doubts=False)
    assert (found.rows, found.right) == (120, 108) and found.no_texts is None
    assert len(found.mistakes) == 12 == len(found.shown)
    assert (np.diff([one.confidence for one in found.mistakes]) <= 0).all()
    for one in found.shown:
        assert one.answer == NAMES[(NAMES.index(one.label) + 1) % 3]
        assert one.text and one.place and one.place.file == "tickets.csv"
        assert one.near and one.near[0].label == one.label  # each class has words of its own
    assert found.doubts == "left out (label_errors=false)"
    assert {one.name: one.rows for one in found.classes} == dict.fromkeys(NAMES, 40)
    assert found.classes[0].taken_for[0][0] == "delivery"
    assert found.copies is not None and found.copies.looked_up == 120


def test_without_the_data_the_findings_have_no_texts(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    (tmp_path / "tickets.csv").unlink()
    found = analyse(answered, tmp_path / "out", tmp_path / "cache", print, doubts=True)
    assert found.no_texts and "cannot be read" in found.no_texts and found.doubts == found.no_texts
    assert found.mistakes[0].text is None and found.mistakes[0].place is None and found.copies is None
    assert [one.name for one in found.slices] == [f"class {name}" for name in NAMES]
