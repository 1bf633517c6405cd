"""The records by which finished candidates are compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.best.finished import (
    Finished,
    check_runs_are_there,
    check_same_rows,
    closing_steps,
    finished_candidates,
    records_on_folds,
)
from runner.best.types import Done, Scored, Step
from runner.errors import ConfigError
from runner.record.json_files import write_json
from tests.records import a_record
from tests.runner.best.stand_ins import FIVE, Machine, plan_of, search_of

NOBODY: tuple[Scored, ...] = ()


def test_candidates_are_compared_as_trained_on_the_same_folds(tmp_path: Path) -> None:
    places = [("a", 0, 0), ("a", 1, 0), ("a", 0, 1), ("a", 1, 1), ("b", 0, 0), ("b", 1, 0)]  # b is dear: one repeat
    steps = [Step(number, name, "fold", fold, again) for number, (name, fold, again) in enumerate(places, 1)]
    plan = replace(FIVE, candidates=FIVE.candidates[:2], steps=tuple(steps), folds=2, repeats=2, planned=len(steps))
    search = search_of(plan, tmp_path, Machine())
    for step in steps:
        run = f"{step.candidate}-{step.fold}-{step.repeat}"
        (tmp_path / run).mkdir()
        write_json(tmp_path / run / "record.json", a_record(identity=run).to_json())
        search.journal.add(Done(step.number, "done", run, score=0.5))
    search.journal.add(Done(7, "done", "a-on-all-rows", candidate="a"))
    both = [Scored(name, name, 1000, None, place, (), 0.5) for place, name in enumerate("ab")]
    found = records_on_folds(search, Finished((both[0],), (both[1],), None))
    assert {name: record.identity for name, record in found.items()} == {"a": "a-0-0", "b": "b-0-0"}
    without_folds = search_of(FIVE, tmp_path / "other", Machine())
    assert records_on_folds(without_folds, Finished(NOBODY, NOBODY, None)) == {}


def test_a_repeat_of_the_folds_counts_only_if_it_is_whole(tmp_path: Path) -> None:
    places = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]
    steps = [Step(number, "a", "fold", fold, again) for number, (fold, again) in enumerate(places, 1)]
    plan = replace(FIVE, candidates=FIVE.candidates[:1], steps=tuple(steps), folds=2, repeats=3, planned=len(steps))
    search = search_of(plan, tmp_path, Machine())
    ends = ["done", "done", "done", "skipped", "done", "done"]
    for step, status in zip(steps, ends):
        assert search.agenda.is_finished("a") == (step.number > 2)
        search.journal.add(Done(step.number, status, f"run-{step.number}", score=0.5))
    assert [step.number for step, _ in closing_steps(search, "a")] == [1, 2, 5, 6]


def test_a_run_that_paused_at_the_cut_gives_no_answers(tmp_path: Path) -> None:
    plan = plan_of(("a", "third"), ("a", "rest"))
    search = search_of(plan, tmp_path, Machine())
    search.journal.add(Done(1, "done", "run-a", score=0.4))
    assert closing_steps(search, "a") == []
    search.journal.add(Done(2, "done", "run-a", score=0.5))
    assert [step.number for step, _ in closing_steps(search, "a")] == [2]


@pytest.mark.parametrize("gone", ["a-0", "a-1", "a-on-all-rows"])
def test_a_run_whose_folder_was_removed_is_named(tmp_path: Path, gone: str) -> None:
    steps = [Step(number, "a", "fold", number - 1, 0) for number in (1, 2)]
    plan = replace(FIVE, candidates=FIVE.candidates[:1], steps=tuple(steps), folds=2, repeats=1, planned=2)
    search = search_of(plan, tmp_path, Machine())
    for run in ("a-0", "a-1", "a-on-all-rows"):
        (tmp_path / run).mkdir()
        write_json(tmp_path / run / "record.json", a_record(identity=run).to_json())
    for number in (1, 2):
        search.journal.add(Done(number, "done", f"a-{number - 1}", score=0.5))
    search.journal.add(Done(3, "done", "a-on-all-rows", candidate="a"))
    check_runs_are_there(search, "a")
    (tmp_path / gone / "record.json").unlink()
    with pytest.raises(ConfigError, match=f"run {gone} of a is gone from {tmp_path}. Try: remove "):
        finished_candidates(search)


@pytest.mark.parametrize("split", ["val", "test"])
def test_runs_on_rows_that_changed_meanwhile_are_not_compared(tmp_path: Path, split: str) -> None:
    search = search_of(FIVE, tmp_path, Machine())
    for number, name in enumerate("ab", 1):
        found = a_record(identity=f"run-{name}")
        rows = {"val": "v", "test": "t"} | ({split: "changed"} if name == "b" else {})
        data = replace(found.data, selection="val/accuracy", primary="test/accuracy", fingerprints=rows)
        (tmp_path / f"run-{name}").mkdir()
        write_json(tmp_path / f"run-{name}" / "record.json", replace(found, data=data).to_json())
        check_same_rows(search)
        search.journal.add(Done(number, "done", f"run-{name}", score=0.5))
    with pytest.raises(ConfigError, match=f"{split} has other rows in run run-b than in run run-a.* Try: remove "):
        check_same_rows(search)
