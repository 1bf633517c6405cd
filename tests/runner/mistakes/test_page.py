"""The page of a run's errors: what it says, and that texts stay text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from runner.mistakes.analyse import analyse
from runner.mistakes.findings import Copies, Copy, Findings, SuspectLabel, SuspectLabels
from runner.mistakes.page import errors_page, shortened
from runner.mistakes.run_data import Place
from runner.mistakes.sentences import summary
from tests.runner.mistakes.cases import write_case

PLACE = Place("tickets.csv", 7, 9)


def found_in(tmp_path: Path) -> Findings:
    return analyse(write_case(tmp_path), tmp_path / "cache", print, label_errors=False)


def test_the_page_has_every_part_and_texts_are_escaped(tmp_path: Path) -> None:
    suspect = SuspectLabel(PLACE, "billing", "login", 0.01, 0.97, "<script>alert(1)</script>")
    copy = Copy(PLACE, Place("tickets.csv", 8, 11), "billing", "login", 1.0, "a copy")
    found = dataclasses.replace(
        found_in(tmp_path),
        suspects=SuspectLabels((suspect,), 120, 0.9, left_out=5000),
        copies=Copies(20, 10, 1, 2, 120, 80, (copy,)),
    )
    page = errors_page(found, [])
    for name in ("short", "classes", "confusion", "slices", "mistakes", "suspects", "copies"):
        assert f'id="{name}"' in page
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    assert "Not looked at: 5,000 other rows. Try: label_errors=all." in page
    assert "may be mislabelled" in page and "About half of the first 100 may be wrong labels" in page
    assert "tickets.csv 7" in page and ">score</button>" in page and ">confidence</button>" not in page
    assert "Accuracy with them 0.9000, without them 0.9800, on them alone 0.5000." in page
    assert "1 of 120 training rows may be mislabelled" in " ".join(summary(found))


def test_without_texts_the_page_says_why(tmp_path: Path) -> None:
    found = dataclasses.replace(found_in(tmp_path), no_texts="the file is gone", copies=None, slices=())
    page = errors_page(found, [])
    assert "No texts: the file is gone." in page and 'id="copies"' not in page and "near rows of train" not in page


def test_without_training_rows_of_the_run_the_page_says_why(tmp_path: Path) -> None:
    found = dataclasses.replace(found_in(tmp_path), no_train="they have changed", copies=None)
    page = errors_page(found, [])
    assert "No near rows of train: they have changed." in page and "near rows of train</" not in page
    assert summary(found)[-1] == "Not compared with the training rows: they have changed."


def test_long_texts_are_shortened() -> None:
    assert shortened("abc", 3) == "abc" and shortened("abcd", 3) == "ab…"
