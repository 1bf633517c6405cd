"""The winner and others on the reported rows: paired differences, and whether a promise holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.best.choice.reported import gap_between, interval_of, is_at_majority, verdict_on
from runner.statistics.paired import Interval
from tests.runner.best.endings import ROW, a_run


def test_a_difference_is_paired_on_the_same_rows(tmp_path: Path) -> None:
    good, bad = a_run(tmp_path, 0, ROW < 900), a_run(tmp_path, 1, ROW < 880)
    gap = gap_between(good, bad, tmp_path)
    assert gap is not None and gap.better == pytest.approx(0.02) and gap.is_ahead and 0 < gap.low < 0.02 < gap.high
    back = gap_between(bad, good, tmp_path)
    assert back is not None and back.better == pytest.approx(-0.02) and not back.is_ahead
    near = gap_between(good, a_run(tmp_path, 3, ROW < 899), tmp_path)
    assert near is not None and near.better > 0 and not near.is_ahead, "one row is no lead"
    gone = a_run(tmp_path, 4, ROW < 870)
    (tmp_path / gone.identity / "predictions-test.parquet").unlink()
    assert gap_between(gone, bad, tmp_path) is None and gap_between(good, gone, tmp_path) is None
    other = a_run(tmp_path, 2, ROW < 880, data={"fingerprints": {"test": "other"}})
    assert gap_between(good, other, tmp_path) is None and gap_between(good, bad, tmp_path / "gone") is None


def test_a_promise_holds_fails_or_is_open() -> None:
    assert [verdict_on(least, Interval(0.8, 0.9, "")) for least in (0.8, 0.85, 0.91)] == [
        "holds", "cannot tell", "does not hold"
    ]  # fmt: skip
    assert [verdict_on(most, Interval(0.8, 0.9, ""), is_lower_better=True) for most in (0.9, 0.85, 0.79)] == [
        "holds", "cannot tell", "does not hold"
    ]  # fmt: skip


def test_the_recorded_interval_and_the_most_frequent_label(tmp_path: Path) -> None:
    record = a_run(tmp_path, 0, ROW < 520)
    found = interval_of(record)
    assert found is not None and found.over == "1,000 rows" and found.low < 0.5 < found.high
    assert interval_of(replace(record, metrics={"test/accuracy": 0.52})) is None
    assert is_at_majority(record.metrics, "test/accuracy")
    assert not is_at_majority(a_run(tmp_path, 1, ROW < 600).metrics, "test/accuracy")


def test_the_interval_of_a_ranking_is_over_its_queries(tmp_path: Path) -> None:
    found = interval_of(a_run(tmp_path, 0, ROW < 520, metrics={"test/queries": 1250}))
    assert found is not None and found.over == "1,250 queries"
