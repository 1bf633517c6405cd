from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from runner.best.plan.steps import count_planned, order_steps, repeats_for, rows_reported, survivors_of
from runner.best.types import Budget, Candidate, Facts

NGRAM = Candidate("ngram", "ngram", seconds=10)
TINY = tuple(Candidate(f"tiny {n}", "tiny", seconds=90, has_cut=True) for n in range(4))
LARGE = Candidate("large", "large", seconds=300, has_cut=True, fits=False)
SMALL = Candidate("distilled", "distilled", seconds=5, teacher="large")


def test_cheap_kinds_come_first_and_pupils_after_their_teacher() -> None:
    steps = order_steps([NGRAM, SMALL, LARGE, *TINY], 0, 1)
    assert [(step.candidate, step.part) for step in steps] == [
        ("ngram", "all"),
        *((one.name, "third") for one in TINY),
        *((one.name, "rest") for one in TINY),
        ("large", "third"), ("large", "rest"),
        ("distilled", "all"),
    ]  # fmt: skip
    assert [step.number for step in steps] == list(range(1, 13))
    assert steps[1].seconds + steps[5].seconds == pytest.approx(TINY[0].seconds)


@pytest.mark.parametrize(("rows", "folds", "reported"), [(2000, 0, 2000), (2000, 5, 480), (50, 5, 50)])
def test_only_the_first_fold_reports_all_rows(rows: int, folds: int, reported: float) -> None:
    assert rows_reported(Facts(report_rows=rows), folds) == reported


def test_what_compresses_a_training_follows_it_at_once() -> None:
    rounded = Candidate("tiny of large", "tiny", seconds=4, has_cut=True, trained_by="large")
    candidates = [NGRAM, rounded, TINY[0], LARGE, SMALL]
    assert [(step.candidate, step.part, step.seconds) for step in order_steps(candidates, 0, 1)][3:] == [
        ("large", "third", 100), ("large", "rest", 200), ("tiny of large", "all", 4), ("distilled", "all", 5),
    ]  # fmt: skip
    names = [step.candidate for step in order_steps(candidates, 2, 1)]
    assert names[4:] == ["large", "large", "tiny of large", "tiny of large", "distilled", "distilled", ""]


def test_the_first_kind_of_the_portfolio_is_the_first_step_whatever_it_costs() -> None:
    cheap = Candidate("cheap", "cheap", seconds=1)
    assert [step.candidate for step in order_steps([NGRAM, SMALL, LARGE, cheap], 0, 1)] == [
        "ngram", "cheap", "large", "large", "distilled",
    ]  # fmt: skip


def test_what_can_neither_win_nor_teach_comes_last() -> None:
    ceiling = Candidate("ceiling", "ceiling", seconds=1, fits=False)
    names = [step.candidate for step in order_steps([NGRAM, ceiling, SMALL, LARGE], 0, 1)]
    assert names == ["ngram", "large", "large", "distilled", "ceiling"]
    assert [step.candidate for step in order_steps([NGRAM, replace(ceiling, fits=True), TINY[0]], 0, 1)][1] == "ceiling"


def test_of_a_kind_only_those_that_go_on_take_time() -> None:
    steps = order_steps([NGRAM, *TINY], 0, 1)
    assert survivors_of(4) == 2 and survivors_of(5) == 3 and survivors_of(1) == 1
    enough = 10 + 4 * 30 + 2 * 60
    candidates = [NGRAM, *TINY]
    assert count_planned(steps, candidates, Budget(minutes=(enough + 1) / 0.7 / 60)) == len(steps)
    assert count_planned(steps, candidates, Budget(minutes=(enough - 1) / 0.7 / 60)) == 6
    assert count_planned(steps, candidates, Budget(minutes=0.001)) == 1
    assert count_planned(steps, candidates, Budget(minutes=(enough - 1) / 0.7 / 60, jobs=2)) == len(steps)
    assert count_planned(steps, candidates, Budget(steps=3)) == 3
    assert count_planned(steps, candidates, Budget()) == len(steps)


FROZEN = Candidate("frozen", "frozen", seconds=20, fits=False)
OF_FROZEN = Candidate("of frozen", "of frozen", seconds=30, teacher="frozen")
ALL_TAUGHT = [NGRAM, FROZEN, OF_FROZEN, LARGE, SMALL]


@pytest.mark.parametrize(
    ("budget", "is_compared"),
    [
        (Budget(), True),
        (Budget(minutes=361 / 0.7 / 60), True),
        (Budget(minutes=359 / 0.7 / 60), False),
        (Budget(steps=5), True),
        (Budget(steps=4), False),
    ],
)
def test_students_wait_for_a_further_teacher_if_there_is_time_for_both(budget: Budget, is_compared: bool) -> None:
    names = list(dict.fromkeys(step.candidate for step in order_steps(ALL_TAUGHT, 0, 1, budget)))
    late = ["ngram", "frozen", "large", "of frozen", "distilled"]
    assert names == (late if is_compared else ["ngram", "frozen", "of frozen", "large", "distilled"])


def test_only_as_many_teachers_are_compared_as_there_is_time_for() -> None:
    dear = Candidate("dear", "dear", seconds=900, fits=False)
    candidates = [*ALL_TAUGHT, dear, Candidate("of dear", "of dear", seconds=5, teacher="dear")]
    names = list(dict.fromkeys(step.candidate for step in order_steps(candidates, 0, 1, Budget(minutes=10))))
    assert names == ["ngram", "frozen", "large", "of frozen", "distilled", "dear", "of dear"]


@pytest.mark.parametrize(("rows", "repeats"), [(999, 3), (1000, 1)])
def test_the_fewest_rows_are_dealt_into_folds_three_times(rows: int, repeats: int) -> None:
    assert repeats_for(Facts(rows=rows)) == repeats


def test_expensive_folds_are_not_repeated_and_the_last_step_is_the_final_model() -> None:
    dear = replace(LARGE, has_cut=True)
    steps = order_steps([NGRAM, dear], 5, 3)
    of_ngram = [(step.repeat, step.fold) for step in steps if step.candidate == "ngram"]
    assert of_ngram == [(repeat, fold) for repeat in range(3) for fold in range(5)]
    assert [(step.repeat, step.fold) for step in steps if step.candidate == "large"] == [(0, fold) for fold in range(5)]
    assert steps[-1].part == "final" and steps[-1].candidate == ""
    assert {step.part for step in steps[:-1]} == {"fold"}


def test_folds_are_dealt_again_when_every_candidate_has_been_trained_on_them_once() -> None:
    other = replace(SMALL, name="dsn", kind="dsn", teacher=None, seconds=20)
    steps = order_steps([NGRAM, other, replace(LARGE, has_cut=True)], 2, 3)
    order = [(step.repeat, step.candidate) for step in steps[:-1] if step.fold == 0]
    assert order == [(0, "ngram"), (0, "dsn"), (0, "large"), (1, "ngram"), (1, "dsn"), (2, "ngram"), (2, "dsn")]


def test_what_builds_on_other_runs_is_not_trained_on_more_folds_than_they() -> None:
    dear, alike = replace(LARGE, seconds=300), replace(LARGE, name="large slow", seconds=60)
    rounded = Candidate("large in 4 bits", "large", seconds=6, has_cut=True, trained_by="large")
    taught = Candidate("twice distilled", "twice", seconds=5, teacher="distilled")
    joined = Candidate("both", "both", seconds=40, teacher="ngram", small=("distilled",))
    candidates = [NGRAM, SMALL, dear, alike, rounded, taught, joined]
    counts = Counter(step.candidate for step in order_steps(candidates, 5, 3))
    assert counts["large"] == counts["large in 4 bits"] == counts["distilled"] == counts["twice distilled"] == 5
    assert counts["both"] == 5 and counts["ngram"] == counts["large slow"] == 15
