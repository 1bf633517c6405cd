from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runner.best.agenda import Work
from runner.best.evidence import Ending
from runner.best.search import Search, words_of
from runner.best.types import Budget, Plan, Step
from tests.runner.best.stand_ins import Machine, plan_of, search_of


def at_the_cut(monkeypatch: pytest.MonkeyPatch, scores: dict[str, float]) -> None:
    """Let the runs of these candidates have these scores after a third of their steps."""
    monkeypatch.setattr(
        "runner.best.evidence.score_at_cut", lambda record, _output: scores[record.identity.removeprefix("run-")]
    )


@pytest.mark.parametrize("jobs", [1, 2, 3, 8])
def test_jobs_side_by_side_change_no_decision(tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {"a1": 0.5, "a2": 0.9, "a3": 0.8, "b": 0.7}
    at_the_cut(monkeypatch, scores)
    steps = [("b", "all"), *[(f"a{i}", part) for part in ("third", "rest") for i in (1, 2, 3)]]
    plan = plan_of(*steps, a1="a", a2="a", a3="a")
    machine = Machine(scores=scores)
    search = search_of(plan, tmp_path, machine, jobs)
    assert search.work().status == "done"
    assert machine.begun == ["b", "a1 third", "a2 third", "a3 third", "a2 rest", "a3 rest"]
    cut = search.journal.ended[5]
    assert cut.status == "skipped" and "0.5000, while 0.8000 went on" in str(cut.reason)


def test_kinds_are_not_ranked_against_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow starter is worst of all at a third of its steps, and in the better half of its kind."""
    early = {"slow1": 0.3, "slow2": 0.2, "slow3": 0.1, "slow4": 0.05, "quick1": 0.8, "quick2": 0.7}
    at_the_cut(monkeypatch, early)
    steps = [(name, part) for kind in ("slow", "quick") for part in ("third", "rest") for name in early if kind in name]
    plan = plan_of(*steps, **{name: name[:-1] for name in early})
    search = search_of(plan, tmp_path, Machine(scores={"slow1": 0.95, "slow2": 0.9, "quick1": 0.85, "quick2": 0.84}))
    search.work()
    finished = {name: search.agenda.score(name) for name in early if search.agenda.is_finished(name)}
    assert finished == {"slow1": 0.95, "slow2": 0.9, "quick1": 0.85, "quick2": 0.84}


@pytest.mark.parametrize("is_trained", [True, False])
def test_a_training_is_compressed_only_where_it_was_finished(
    is_trained: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = {"a1": 0.9, "a2": 0.8, "a3": 0.7 + 0.15 * is_trained}
    at_the_cut(monkeypatch, early)
    steps = [*[(f"a{i}", part) for part in ("third", "rest") for i in (1, 2, 3)], ("rounded", "all")]
    plan = plan_of(*steps, a1="a", a2="a", a3="a")
    plan = replace(plan, candidates=(*plan.candidates[:3], replace(plan.candidates[3], trained_by="a3")))
    search = search_of(plan, tmp_path, machine := Machine(scores=early | {"rounded": 0.9}))
    assert search.work().status == "done"
    assert ("rounded" in machine.begun) == is_trained
    ended = search.journal.ended[7]
    assert is_trained or (ended.status, ended.reason) == ("skipped", "the training of a3 was not finished")


def with_student(**scores: float) -> tuple[Plan, Machine]:
    plan = plan_of(("small", "all"), ("large", "all"), ("student", "all"))
    small, large, student = plan.candidates
    student = replace(student, teacher="large", overrides=("t={teacher}",))
    return replace(plan, candidates=(small, replace(large, fits=False), student)), Machine(scores=scores)


def test_a_student_begins_where_its_teacher_leads_by_more_than_a_point(tmp_path: Path) -> None:
    plan, machine = with_student(small=0.80, large=0.83)
    begun: list[Work] = []

    def keep(works: Sequence[Work]) -> list[Ending]:
        begun.extend(works)
        return machine(works)

    Search(plan, tmp_path / "search", tmp_path, keep, 3, machine.tell).work()
    assert words_of(["data=demo"], begun[-1], plan) == ["data=demo", "t=run-large"]


def test_the_best_of_its_teachers_kind_teaches(tmp_path: Path) -> None:
    names = ("small", "large1", "large2", "student")
    plan = plan_of(*[(name, "all") for name in names], large1="large", large2="large")
    student = replace(plan.candidates[3], teacher="large1")
    plan = replace(plan, candidates=(*plan.candidates[:3], student))
    search = search_of(plan, tmp_path, Machine(scores={"small": 0.7, "large1": 0.8, "large2": 0.9}))
    search.work()
    teacher = search.agenda.teacher_of(student)
    assert teacher is not None and teacher.name == "large2"


@pytest.mark.parametrize(("frozen", "large", "skipped"), [
    (0.80, 0.85, "student"), (0.85, 0.80, "pupil"), (0.850, 0.855, None),
])  # fmt: skip
@pytest.mark.parametrize("jobs", [1, 3])
def test_of_several_teachers_only_the_best_teaches(
    tmp_path: Path, frozen: float, large: float, skipped: str | None, jobs: int
) -> None:
    plan = plan_of(*[(name, "all") for name in ("small", "frozen", "large", "student", "pupil")])
    small, one, other, student, pupil = plan.candidates
    student, pupil = replace(student, teacher="frozen"), replace(pupil, teacher="large")
    teachers = (replace(one, fits=False), replace(other, fits=False))
    plan = replace(plan, candidates=(small, *teachers, student, pupil))
    machine = Machine(scores={"small": 0.7, "frozen": frozen, "large": large})
    search = search_of(plan, tmp_path, machine, jobs=jobs)
    search.work()
    assert {"student", "pupil"} - set(machine.begun) == ({skipped} if skipped else set())
    reasons = [str(done.reason) for done in search.journal.ended.values() if done.status == "skipped"]
    assert all("which teaches too" in reason for reason in reasons) and len(reasons) == bool(skipped)


def with_two_as_one(tmp_path: Path, **scores: float) -> tuple[Search, list[Work]]:
    names = ("ngram", "static", "large", "cascade")
    plan = plan_of(*[(name, "all") for name in names])
    large, two = replace(plan.candidates[2], fits=False), replace(plan.candidates[3], teacher="large")
    two = replace(two, small=("ngram", "static"))
    begun, machine = list[Work](), Machine(scores=scores)

    def keep(works: Sequence[Work]) -> list[Ending]:
        begun.extend(works)
        return machine(works)

    plan = replace(plan, candidates=(*plan.candidates[:2], large, two))
    return Search(plan, tmp_path / "search", tmp_path, keep, 2, machine.tell), begun


def test_two_models_become_one_of_the_best_small_run_and_the_large_one(tmp_path: Path) -> None:
    search, begun = with_two_as_one(tmp_path, ngram=0.80, static=0.81, large=0.90)
    search.work()
    assert (begun[-1].candidate.name, begun[-1].small, begun[-1].teacher) == ("cascade", "run-static", "run-large")
    assert search.agenda.pairs_of(begun[-1].candidate) == 2
    assert all(work.small is None for work in begun[:-1])


def test_a_large_model_that_turns_out_too_slow_is_still_a_part(tmp_path: Path) -> None:
    search, begun = with_two_as_one(tmp_path, ngram=0.80, static=0.81, large=0.90)
    large = replace(search.plan.candidates[2], fits=True)
    plan = replace(
        search.plan,
        budget=Budget(max_us=50.0),
        candidates=(*search.plan.candidates[:2], large, search.plan.candidates[3]),
    )
    slow = {"large": 90.0}
    machine = Machine(scores={"ngram": 0.80, "static": 0.81, "large": 0.90})

    def keep(works: Sequence[Work]) -> list[Ending]:
        found = []
        for work in works:
            begun.append(work)
            machine.micros = slow.get(work.candidate.name, 20.0)
            found.append(machine.run(work))
        return found

    again = Search(plan, tmp_path / "again", tmp_path, keep, 1, machine.tell)
    again.work()
    assert again.journal.ended[3].status == "refused" and again.agenda.is_over_cap("large")
    assert begun[-1].candidate.name == "cascade" and begun[-1].teacher == "run-large"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_model_over_a_cap_on_its_first_fold_still_teaches_for_any_number_of_jobs(tmp_path: Path, jobs: int) -> None:
    names, folds = ("ngram", "large", "student"), range(3)
    steps = [Step(3 * n + fold + 1, name, "fold", fold, 0) for n, name in enumerate(names) for fold in folds]
    plan = plan_of(*[(name, "fold") for name in names], budget=Budget(max_us=50.0))
    students = replace(plan.candidates[2], teacher="large")
    plan = replace(plan, candidates=(*plan.candidates[:2], students), steps=tuple(steps), folds=3, planned=len(steps))
    machine = Machine(scores={"ngram": 0.8, "large": 0.9})

    def run(works: Sequence[Work]) -> list[Ending]:
        found = []
        for work in works:
            machine.micros = 90.0 if work.candidate.name == "large" else 20.0
            found.append(machine.run(work))
        return found

    search = Search(plan, tmp_path / "search", tmp_path, run, jobs, machine.tell)
    search.work()
    ended = [search.journal.ended[step.number].status for step in steps]
    assert ended[:3] == ended[6:] == ["done"] * 3 and set(ended[3:6]) <= {"refused", "done"} and "refused" in ended


def with_repeats(*names: str) -> Plan:
    """A plan with two folds that are dealt three times."""
    rounds = [(name, fold, repeat) for repeat in range(3) for name in names for fold in range(2)]
    steps = [Step(number, name, "fold", fold, repeat) for number, (name, fold, repeat) in enumerate(rounds, 1)]
    plan = plan_of(*[(name, "fold") for name in names])
    return replace(plan, steps=tuple(steps), folds=2, repeats=3, planned=len(steps))


@pytest.mark.parametrize("jobs", [1, 3, 20])
def test_folds_are_dealt_again_only_for_candidates_near_the_best(tmp_path: Path, jobs: int) -> None:
    machine = Machine(scores={"ngram": 0.60, "static": 0.27, "char": 0.70, "other": 0.68})
    search = search_of(with_repeats("ngram", "static", "char", "other"), tmp_path, machine, jobs)
    assert search.work().status == "done"
    counts = {name: machine.begun.count(f"{name} fold") for name in ("ngram", "static", "char", "other")}
    assert counts == {"ngram": 2, "static": 2, "char": 6, "other": 6}
    assert all(search.agenda.is_finished(name) for name in counts) and search.agenda.score("static") == 0.27
    assert "its folds are not repeated: 0.2700, while char has 0.7000" in {
        done.reason for done in search.journal.ended.values()
    }


@pytest.mark.parametrize(("seconds", "score", "count"), [(30.0, 0.59, 2), (30.0, 0.61, 5), (5.0, 0.2, 5)])
@pytest.mark.parametrize("jobs", [1, 3, 20])
def test_an_expensive_candidate_is_given_up_after_two_folds_where_it_is_far_behind(
    tmp_path: Path, seconds: float, score: float, count: int, jobs: int
) -> None:
    steps = [
        Step(5 * n + fold + 1, name, "fold", fold, 0, seconds) for n, name in enumerate(("a", "b")) for fold in range(5)
    ]
    plan = replace(plan_of(("a", "fold"), ("b", "fold")), steps=tuple(steps), folds=5, planned=len(steps))
    search = search_of(plan, tmp_path, machine := Machine(scores={"a": 0.70, "b": score}), jobs)
    assert search.work().status == "done"
    assert machine.begun.count("b fold") == count and search.agenda.is_finished("b") == (count == 5)
    reasons = {str(done.reason) for done in search.journal.ended.values() if done.status == "skipped"}
    assert not reasons or "given up after 2 folds: 0.5900, while a has 0.7000 on them" in reasons


@pytest.mark.parametrize("jobs", [1, 3, 20])
def test_a_student_on_repeated_folds_has_a_teacher_on_the_same_rows(tmp_path: Path, jobs: int) -> None:
    plan = with_repeats("ngram", "large", "student")
    ngram, large, student = plan.candidates
    plan = replace(plan, candidates=(ngram, replace(large, fits=False), replace(student, teacher="large")))
    search = search_of(plan, tmp_path, machine := Machine(scores={"ngram": 0.7, "large": 0.8, "student": 0.75}), jobs)
    assert search.work().status == "done"
    assert [machine.begun.count(f"{name} fold") for name in ("ngram", "large", "student")] == [2, 6, 6]


def test_what_compresses_a_training_is_repeated_with_it_alone(tmp_path: Path) -> None:
    plan = with_repeats("ngram", "large", "rounded")
    ngram, large, rounded = plan.candidates
    plan = replace(plan, candidates=(ngram, replace(large, fits=False), replace(rounded, trained_by="large")))
    search = search_of(plan, tmp_path, machine := Machine(scores={"ngram": 0.9, "large": 0.85, "rounded": 0.89}))
    assert search.work().status == "done"
    assert [machine.begun.count(f"{name} fold") for name in ("ngram", "large", "rounded")] == [6, 2, 2]
    assert "the training of large was not finished" in {done.reason for done in search.journal.ended.values()}


def test_two_models_are_left_alone_where_the_large_one_leads_by_little(tmp_path: Path) -> None:
    search, begun = with_two_as_one(tmp_path, ngram=0.80, static=0.81, large=0.82)
    search.work()
    assert begun[-1].candidate.name == "large"
    assert "does not lead static (0.8100) by a point" in str(search.journal.ended[4].reason)


@pytest.mark.parametrize(("scores", "reason"), [
    ({"small": 0.80, "large": 0.81}, "does not lead small (0.8000) by a point"),
    ({"small": 0.80, "large": 0.75}, "does not lead small"),
])  # fmt: skip
def test_a_student_is_skipped_where_its_teacher_has_little_to_teach(
    tmp_path: Path, scores: dict[str, float], reason: str
) -> None:
    plan, machine = with_student(**scores)
    search = search_of(plan, tmp_path, machine, jobs=2)
    search.work()
    assert machine.begun == ["small", "large"] and reason in str(search.journal.ended[3].reason)


@pytest.mark.parametrize(("large", "is_taught"), [(0.00010, True), (0.000199, False), (0.00030, False)])
def test_the_lead_of_a_teacher_is_a_share_of_a_score_that_is_none(
    tmp_path: Path, large: float, is_taught: bool
) -> None:
    plan, _ = with_student()
    plan = replace(plan, budget=replace(plan.budget, goal="mse"))
    search = search_of(plan, tmp_path, machine := Machine(scores={"small": 0.0002, "large": large}))
    search.work()
    assert ("student" in machine.begun) == is_taught
    assert is_taught or "does not lead small (0.0002) by 1%" in str(search.journal.ended[3].reason)


@pytest.mark.parametrize("large", [99.5, 98.0])
def test_a_small_difference_of_large_numbers_is_no_lead(tmp_path: Path, large: float) -> None:
    plan, _ = with_student()
    plan = replace(plan, budget=replace(plan.budget, goal="mse"))
    search = search_of(plan, tmp_path, machine := Machine(scores={"small": 100.0, "large": large}))
    search.work()
    assert ("student" in machine.begun) == (large < 99.0)
