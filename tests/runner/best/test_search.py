from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.best.agenda import Work
from runner.best.evidence import Ending
from runner.best.search import Search, words_of
from runner.best.types import Budget, Done, Step
from runner.experiment.outcome import Outcome
from tests.runner.best.stand_ins import FIVE, Machine, journal, record_of, search_of


def test_all_steps_are_done_in_the_order_of_the_plan(tmp_path: Path) -> None:
    machine = Machine()
    assert search_of(FIVE, tmp_path, machine).work().status == "done"
    assert machine.begun == list("abcde")
    again = Machine()
    assert search_of(FIVE, tmp_path, again).work().status == "done" and again.begun == []


def test_steps_end_a_search_without_a_clock(tmp_path: Path) -> None:
    plan = replace(FIVE, budget=Budget(steps=3))
    stop = search_of(plan, tmp_path, Machine(seconds=1e6)).work()
    assert (stop.status, stop.reason) == ("stopped", "stopped after step 3 of 5: steps=3")


@pytest.mark.parametrize(
    ("seconds", "jump", "done"), [(30.0, 0.0, 4), (90.0, 0.0, 2), (3.0, 0.0, 5), (30.0, 45.0, 5), (600.0, 0.0, 1)]
)
def test_a_clock_decides_how_many_steps_are_done_and_never_which(
    tmp_path: Path, seconds: float, jump: float, done: int
) -> None:
    plan = replace(FIVE, budget=Budget(minutes=2.0))
    machine = Machine(seconds=seconds, jump=jump)
    stop = search_of(plan, tmp_path, machine).work()
    assert machine.begun == list("abcde")[:done]
    assert stop.status == ("done" if done == 5 else "stopped")
    again = Machine(seconds=0.0)
    assert search_of(plan, tmp_path, again).work() == stop and again.begun == []


def test_more_minutes_go_on_from_there(tmp_path: Path) -> None:
    search_of(replace(FIVE, budget=Budget(minutes=1.0)), tmp_path, Machine()).work()
    kept = [line for line in (tmp_path / "search" / "journal.jsonl").read_text().splitlines() if '"late"' not in line]
    (tmp_path / "search" / "journal.jsonl").write_text("\n".join(kept) + "\n")
    machine = Machine()
    search_of(replace(FIVE, budget=Budget(minutes=2.0)), tmp_path, machine).work()
    assert machine.begun == list("cd")


def test_a_step_of_the_reserve_is_not_begun_where_it_would_not_be_done_in_time(tmp_path: Path) -> None:
    plan = replace(FIVE, budget=Budget(minutes=2.0), planned=2)
    stop = search_of(plan, tmp_path, machine := Machine(seconds=40.0)).work()
    assert machine.begun == list("abc")[:3] and "the next step takes about 30 s" not in str(stop.reason)
    stop = search_of(replace(plan, key="1"), tmp_path / "b", machine := Machine(seconds=50.0)).work()
    assert machine.begun == list("ab") and "20 s of minutes=2 are left, the next step takes about 30 s" in str(
        stop.reason
    )


def test_a_first_candidate_is_finished_whatever_the_clock_says(tmp_path: Path) -> None:
    machine = Machine(seconds=1e5)
    search_of(replace(FIVE, budget=Budget(minutes=0.1)), tmp_path, machine).work()
    assert machine.begun == ["a"]


@pytest.mark.parametrize("at", range(6))
def test_after_a_crash_at_any_step_the_journal_is_the_one_without(tmp_path: Path, at: int) -> None:
    class Crash(BaseException):
        pass

    with_crash = search_of(FIVE, tmp_path / "a", first := Machine(die_before=at, error=Crash))
    if at < 5:
        with pytest.raises(Crash):
            with_crash.work()
    else:
        with_crash.work()
    (tmp_path / "a/search").mkdir(parents=True, exist_ok=True)
    with (tmp_path / "a/search/journal.jsonl").open("a") as stream:
        stream.write('{"step": 9, "sta')  # half a line
    search_of(FIVE, tmp_path / "a", second := Machine()).work()
    assert first.begun + second.begun == list("abcde")
    search_of(FIVE, tmp_path / "b", Machine()).work()
    assert journal(tmp_path / "a") == journal(tmp_path / "b")


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path: Path) -> None:
    stop = search_of(FIVE, tmp_path, Machine(die_before=2)).work()
    assert stop.status == "interrupted" and "step 2 of 5" in str(stop.reason)
    search_of(FIVE, tmp_path, machine := Machine()).work()
    assert machine.begun == list("cde")


def test_a_step_that_outlasts_its_estimate_and_the_minutes_is_stopped(tmp_path: Path) -> None:
    machine = Machine()
    search = search_of(replace(FIVE, budget=Budget(minutes=1.0)), tmp_path, machine)
    work = Work(FIVE.steps[0], FIVE.candidates[0])
    search.journal.add(Done(5, "done", "run-e"))
    machine.now += 59
    assert search.why_overdue(work, 200.0) is None  # there are minutes left
    machine.now += 2
    assert search.why_overdue(work, 89.0) is None
    assert "past minutes=1" in str(search.why_overdue(work, 91.0))


def test_a_step_that_was_stopped_counts_as_not_done(tmp_path: Path) -> None:
    record = replace(record_of("run-a", 0.9, 1, 1.0), status="killed")
    search = Search(
        FIVE, tmp_path / "s", tmp_path, lambda works: [Ending(Outcome(1, record), "stopped after 99 s")] * len(works)
    )
    search.work()
    assert search.journal.ended[1].status == "unfinished" and not search.agenda.is_finished("a")


def test_overrides_of_a_run_on_a_fold_and_of_one_that_stops_after_a_third() -> None:
    plan = replace(FIVE, folds=5)
    fold = Work(Step(1, "a", "fold", fold=2, repeat=1), plan.candidates[0])
    shared = ["data=demo", "measure=quick"]
    few = "data.max_eval_rows=100"  # of the reported rows, which only the first fold is compared on
    assert words_of(shared, fold, plan) == [
        "data=demo", "measure=off", few, "x=a", "data.folds=5", "data.fold=2", "data.fold_seed=1",
    ]  # fmt: skip
    first = replace(fold, step=replace(fold.step, fold=0, repeat=0))
    assert words_of(shared, first, plan)[:3] == [*shared, "x=a"]
    own = ["data=demo", "data.max_eval_rows=50"]
    assert [word for word in words_of(own, fold, plan) if word.startswith("data.max")] == own[1:]
    apart = ["data=demo", "data.calibration=0.1"]  # these rows would be limited too
    assert not [word for word in words_of(apart, fold, plan) if word.startswith("data.max")]
    limited = replace(plan.candidates[0], overrides=("rows={unlabelled_rows}",))
    assert "rows=5000" in words_of(shared, Work(fold.step, limited), plan)
    assert "rows=50000" in words_of(shared, Work(Step(1, "a"), limited), plan)
    third = Work(Step(1, "a", "third"), plan.candidates[0])
    assert words_of(shared, third, plan) == [*shared, "x=a", "checkpoint.pause_at=0.333"]


def test_no_step_is_stopped_while_no_candidate_is_finished(tmp_path: Path) -> None:
    search = search_of(replace(FIVE, budget=Budget(minutes=1.0)), tmp_path, machine := Machine())
    machine.now += 1e6
    assert search.why_overdue(Work(FIVE.steps[0], FIVE.candidates[0]), 1e6) is None


def test_the_clock_spares_only_the_first_candidate_and_no_step_beside_it(tmp_path: Path) -> None:
    plan = replace(FIVE, budget=Budget(minutes=0.1), planned=1)
    stop = search_of(plan, tmp_path, machine := Machine(seconds=1.0), jobs=2).work()
    assert machine.begun == ["a"] and "the next step takes about 30 s" in str(stop.reason)
    search = search_of(replace(FIVE, budget=Budget(minutes=1.0)), tmp_path / "b", machine := Machine(), jobs=2)
    machine.now += 1e6
    beside = Work(FIVE.steps[1], FIVE.candidates[1])
    assert "past minutes=1" in str(search.why_overdue(beside, 91.0)) and search.why_overdue(beside, 89.0) is None


def test_an_overlong_step_is_not_begun_beside_one_of_the_plan(tmp_path: Path) -> None:
    plan = replace(FIVE, budget=Budget(minutes=1.5), planned=3)
    stop = search_of(plan, tmp_path, machine := Machine(seconds=32.0), jobs=2).work()
    assert machine.begun == list("abc") and stop.status == "stopped"
