"""The overrides that runs share with the runs that they need first, and what follows when one of those fails."""

from __future__ import annotations

import pytest

from runner.experiment.dependencies.inner_run import (
    InnerRunUnfinished,
    finish_run,
    inner_overrides,
    named_overrides,
    shared_overrides,
)
from runner.experiment.dependencies.teacher import SHARED
from runner.experiment.outcome import Outcome
from runner.record.record import RunRecord
from runner.schema import Settings
from tests.records import record_json

WORDS = [
    "model=dsn",
    "data=demo",
    "data.max_rows=9",
    "compression=[magnitude,int8]",
    "compression.int8.bits=8",
    "force=true",
]


KILLED = Outcome(130, RunRecord.from_json(record_json(status="killed")))


def test_keys_and_groups_are_dropped_and_only_chosen_groups_kept() -> None:
    assert inner_overrides(WORDS, dropped=["force"], dropped_groups=["compression"]) == WORDS[:3]
    assert shared_overrides(WORDS, ["data"]) == ["data=demo", "data.max_rows=9"]
    assert inner_overrides(["model=a", "model.dropout=0"], dropped=["model"]) == ["model.dropout=0"]
    assert inner_overrides(["database=x"], dropped_groups=["data"]) == ["database=x"], "a group is a whole word"


def test_a_teacher_shares_the_data_of_its_student_unless_it_names_other() -> None:
    assert named_overrides("model=bert-mini data.max_rows=50", WORDS, SHARED) == [
        "data=demo", "model=bert-mini", "data.max_rows=50",
    ]  # fmt: skip


@pytest.mark.parametrize("outcome", [Outcome(2, reason="no data"), KILLED])
def test_a_run_that_does_not_finish_stops_the_one_that_needs_it(outcome: Outcome) -> None:
    with pytest.raises(InnerRunUnfinished) as stop:
        finish_run(lambda settings, words: outcome, Settings(), [])
    assert stop.value.outcome is outcome


def test_a_finished_run_gives_its_record() -> None:
    record = RunRecord.from_json(record_json(status="done"))
    assert finish_run(lambda settings, words: Outcome(0, record), Settings(), ["seed=1"]) is record
