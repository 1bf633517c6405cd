"""Runs whose model reads what a question does not have."""

from __future__ import annotations

from dataclasses import replace

from runner.record.bounds import is_bound
from runner.record.record import DataFacts, RunRecord

RECORD = RunRecord("0123456789", "dsn", {}, DataFacts("classification", "test/accuracy", {}))


def test_a_record_from_before_there_were_views_is_no_bound() -> None:
    assert not is_bound(RECORD)
    assert not is_bound(replace(RECORD, config={"view": {"name": "codes", "reads": "text"}}))


def test_a_classifier_of_codes_is_a_bound() -> None:
    assert is_bound(replace(RECORD, config={"view": {"name": "codes", "reads": "both"}}))
