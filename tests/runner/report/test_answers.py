"""Sections on answers: nothing where nothing is stored."""

from __future__ import annotations

from pathlib import Path

from runner.report.answers import class_section, reliability_section, scatter_section
from tests.records import a_record


def test_a_record_without_stored_answers_has_none_of_them(tmp_path: Path) -> None:
    record = a_record()
    assert class_section(record) == reliability_section(record, tmp_path) == scatter_section(record, tmp_path) == []


def test_the_reported_split_comes_first(tmp_path: Path) -> None:
    report = {"classes": ["a"], "support": [1], "predicted": [1], "precision": [1.0], "recall": [1.0], "f1": [1.0]}
    sections = class_section(a_record(reports={"val": report, "test": report}))
    assert sections[0].body.index(">test</button>") < sections[0].body.index(">val</button>")
    assert sections[0].notes == [], "no matrix, no words about it"
