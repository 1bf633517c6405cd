"""Splits of a hub dataset: one is reported, its name begins a metric, and none both selects and is reported."""

from __future__ import annotations

import re

import pytest

from data.settings import DataSettings
from runner.config.check_splits import split_conflicts
from runner.record.metrics import check


def mine(**changes: object) -> DataSettings:
    """Settings of a dataset of the user's own."""
    return DataSettings(**({"name": "mine", "source": "hub", "id": "me/mine"} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "data=mine: no split of me/mine is reported. Try: data.split=train, "),
        ({"report_splits": {"dev": "validation"}}, "'dev' cannot begin the name of a metric; .*{test: validation}"),
        ({"report_splits": {"test-a": "test"}}, "'test-a' cannot begin the name of a metric"),
        ({"report_splits": {"test": "t", "val": "v"}}, "val selects and is not reported.*select_split: v, and another"),
        ({"report_splits": {"val": "v"}, "select_split": "w"}, "data.select_split=w has no effect on data=mine"),
    ],
)
def test_splits_that_a_run_cannot_have_are_one_message(changes: dict[str, object], message: str) -> None:
    (found,) = split_conflicts(mine(**changes))
    assert re.search(message, found)


def test_other_splits_are_fine() -> None:
    for report in ({"val": "v"}, {"val": "v", "val_mm": "w"}, {"test": "t", "test_unseen": "u"}):
        assert not split_conflicts(mine(report_splits=report))
        assert all(check(f"{name}/accuracy") for name in report)
    assert not split_conflicts(mine(report_splits={"test": "t"}, select_split="v"))
    assert not split_conflicts(mine(split="train")) and not split_conflicts(DataSettings(name="f", source="files"))
