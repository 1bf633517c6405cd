from __future__ import annotations

import json

from runner.best.types import Budget, Candidate, Choice, Done, Facts, LeftOut, Plan, Result, Step

PLAN = Plan(
    "0123456789",
    Budget(max_kb=1000, steps=3),
    Facts(rows=400, classes=2),
    (Candidate("ngram", "ngram", ("model=ngram",), bytes=34_000), Candidate("dsn", "dsn", has_cut=True)),
    (LeftOut("large", "large", "needs 90 MB, cap 1,000 kB"),),
    (Step(0, "ngram"), Step(1, "dsn", "third"), Step(2, "dsn", "fold", fold=0, repeat=1)),
    planned=2,
)


def test_everything_that_is_kept_comes_back_as_it_was() -> None:
    kept = (
        PLAN,
        Done(0, "done", "a1", score=0.5),
        Choice("ngram", ("the highest",)),
        Result("k", "done", None, None, None),
    )
    for value in kept:
        assert type(value).from_json(json.loads(json.dumps(value.to_json()))) == value


def test_a_key_of_another_version_is_left_out() -> None:
    assert Step.from_json({"number": 1, "candidate": "a", "colour": "red"}) == Step(1, "a")


def test_a_cap_is_in_units_of_1000_bytes() -> None:
    assert Budget(max_kb=0.5).max_bytes == 500
    assert Budget().max_bytes is None


def test_a_candidate_is_found_by_its_name() -> None:
    assert PLAN.candidate("dsn").has_cut
