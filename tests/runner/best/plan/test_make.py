"""A whole plan on a small table, with a portfolio of two kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.best.agenda import Work
from runner.best.command import hold_search
from runner.best.plan import candidates, make
from runner.best.plan.estimate import Estimate
from runner.best.plan.make import PLAN, make_plan, read_plan
from runner.best.plan.portfolio import Kind, Variant
from runner.best.search import words_of
from runner.best.types import Budget, Candidate, Plan
from runner.errors import ConfigError
from tests.conftest import write_reviews
from tests.runner.best.conftest import settings_of

KINDS = (
    Kind("ngram", "", 1, "sparse", ("model=ngram",), (Variant("", ("model.max_kb={kb}",)),), passes=8),
    Kind("dsn", "", 2, "embedding", ("model=dsn", "model.tokenizer=train", "model.vocab_size=80"), (Variant(""),)),
    Kind("large", "", 3, "dense", needs={"weights": "nobody/has-this"}, variants=(Variant(""),)),
)


@pytest.fixture(autouse=True)
def small_portfolio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "read_portfolio", lambda: KINDS)
    monkeypatch.setattr(make, "AvailableWeights", lambda: lambda _source: False)


def planned(folder: Path, budget: Budget, *more: str, data: Path | None = None) -> Plan:
    table = data or folder / "reviews.csv"
    words = ["data=files", f"data.path={table}", "data.text=review", "data.label=stars", "tracker=none", *more]
    words += [f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    return make_plan(settings_of(*words), words, budget, lambda _: None)


def test_the_same_table_twice_is_the_same_plan_byte_by_byte(tmp_path: Path) -> None:
    write_reviews(tmp_path / "reviews.csv")
    first = planned(tmp_path, Budget(max_kb=100, steps=16))
    path = tmp_path / "outputs" / "sweeps" / first.key / PLAN
    content = path.read_bytes()
    assert read_plan(path) == first and [item.name for item in path.parent.glob("[!.]*")] == [PLAN]
    path.unlink()
    assert planned(tmp_path, Budget(max_kb=100, steps=16)) == first and path.read_bytes() == content
    assert [one.name for one in first.candidates] == ["ngram", "dsn"] and first.planned == 16
    assert [(one.name, one.reason) for one in first.left_out] == [("large", "weights unavailable: nobody/has-this")]
    assert (first.folds, first.repeats, len(first.steps)) == (5, 3, 31) and first.budget.goal == "accuracy"
    own = first.candidate("ngram")
    assert own.overrides == ("model=ngram", "model.max_kb=99"), "calibration.json takes a part of the cap"
    assert own.bytes is not None and own.bytes < 100_000


def test_only_encoders_are_estimated_ahead_of_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    def estimate(_self: object, words: Sequence[str], work: str, _passes: float) -> Estimate:
        asked.append(work)
        return Estimate(1000, 1000, None, 1.0, (len(asked),))

    write_reviews(tmp_path / "reviews.csv")
    words = ["data=files", f"data.path={tmp_path}/reviews.csv", "data.text=review", "data.label=stars"]
    words += [f"paths.output={tmp_path}/outputs", f"paths.cache={tmp_path}/cache", "tracker=none"]
    monkeypatch.setattr(make, "AvailableWeights", lambda: lambda _source: True)
    monkeypatch.setattr(make.Estimator, "estimate", estimate)
    make.estimate_encoders(settings_of(*words), words, Budget(max_kb=100, steps=16))
    assert asked and set(asked) == {"dense"} and not (tmp_path / "outputs").exists()


def test_a_plan_that_exists_is_obeyed(tmp_path: Path) -> None:
    write_reviews(tmp_path / "reviews.csv")
    first = planned(tmp_path, Budget(max_kb=100, steps=16))
    path = tmp_path / "outputs" / "sweeps" / first.key / PLAN
    make.write_plan(replace(first, planned=1), path)
    assert planned(tmp_path, Budget(max_kb=100, steps=16)).planned == 1
    path.write_text("{", encoding="utf-8")
    assert planned(tmp_path, Budget(max_kb=100, steps=16)) == first


def test_a_plan_that_another_process_wrote_meanwhile_is_obeyed_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reviews(tmp_path / "reviews.csv")
    budget, write = Budget(max_kb=100, steps=16), make.finish_plan
    theirs = list[Plan]()

    def overtaken(*given: Any) -> Plan:
        plan = write(*given)
        theirs.append(replace(plan, planned=1))
        make.write_plan(theirs[0], tmp_path / "outputs" / "sweeps" / plan.key / PLAN)
        return plan

    monkeypatch.setattr(make, "finish_plan", overtaken)
    assert planned(tmp_path, budget) == theirs[0]
    folder = tmp_path / "outputs" / "sweeps" / theirs[0].key
    assert read_plan(folder / PLAN) == theirs[0]
    assert [item.name for item in folder.glob("[!.]*")] == [PLAN]
    with hold_search(folder, theirs[0]):
        assert planned(tmp_path, budget) == theirs[0], "a plan is shown while a search runs"


def test_a_kept_plan_says_which_weights_have_come_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_reviews(tmp_path / "reviews.csv")
    first = planned(tmp_path, budget := Budget(max_kb=100, steps=16))
    assert planned(tmp_path, budget) == first
    monkeypatch.setattr(make, "AvailableWeights", lambda: lambda source: source == "nobody/has-this")
    again = planned(tmp_path, budget)
    assert again.steps == first.steps and again.left_out == first.left_out
    (note,) = set(again.facts.notes) - set(first.facts.notes)
    folder = tmp_path / "outputs" / "sweeps" / first.key
    assert note.startswith(f"this plan was made without nobody/has-this, which can be used now. Try: remove {folder}")
    assert read_plan(folder / PLAN) == first
    older = first.left_out[0].reason.replace("weights unavailable", "weights not at hand")
    make.write_plan(replace(first, left_out=(replace(first.left_out[0], reason=older),)), folder / PLAN)
    assert note in planned(tmp_path, budget).facts.notes


def test_a_plan_whose_times_are_those_of_torch_says_so_and_is_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reviews(tmp_path / "reviews.csv")
    budget = Budget(max_us=1e6, steps=16)
    first = planned(tmp_path, budget)
    assert {one.engine for one in first.candidates} == {"numpy"} and planned(tmp_path, budget) == first
    folder = tmp_path / "outputs" / "sweeps" / first.key
    earlier = replace(first, candidates=tuple(replace(one, engine=None) for one in first.candidates))
    make.write_plan(earlier, folder / PLAN)
    again = planned(tmp_path, budget)
    assert again.steps == first.steps and again.candidates == earlier.candidates
    (note,) = set(again.facts.notes) - set(first.facts.notes)
    assert "timed encoders in torch" in note and note.endswith("finished runs are found again")
    assert f"Try: remove {folder} and give the same command" in note


def test_whatever_a_plan_depends_on_is_in_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = write_reviews(tmp_path / "reviews.csv")
    other = tmp_path / "other.csv"
    other.write_text(table.read_text(encoding="utf-8").replace("number 7 ", "number 70 "), encoding="utf-8")
    budget = Budget(max_kb=100, steps=16)
    keys = [
        planned(tmp_path, budget).key,
        planned(tmp_path, replace(budget, max_kb=101)).key,
        planned(tmp_path, replace(budget, goal="f1_macro")).key,
        planned(tmp_path, budget, "seed=1").key,
        planned(tmp_path, budget, data=other).key,
    ]
    monkeypatch.setattr(make, "portfolio_digest", lambda: "another")
    keys.append(planned(tmp_path, budget).key)
    monkeypatch.setattr(make, "NUMBERS", "another")
    keys.append(planned(tmp_path, budget).key)
    assert len(set(keys)) == len(keys)


def test_a_renamed_file_of_texts_is_the_same_plan_with_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, more = write_reviews(tmp_path / "reviews.csv"), tmp_path / "more.csv"
    more.write_text(table.read_text(encoding="utf-8"), encoding="utf-8")
    kinds = (replace(KINDS[0], variants=(Variant("", ("x={unlabelled}",)),)),)
    monkeypatch.setattr(candidates, "read_portfolio", lambda: kinds)
    monkeypatch.setattr(make.Estimator, "estimate", lambda *_: Estimate(1000, 1000, None, 1.0, ()))
    first = planned(tmp_path, Budget(steps=16, unlabelled=str(more)))
    moved = more.rename(tmp_path / "moved.csv")
    again = planned(tmp_path, Budget(steps=16, unlabelled=str(moved)))
    assert again.key == first.key and again.steps == first.steps
    work = Work(again.steps[0], again.candidates[0])
    assert f"x={moved}" in words_of([], work, again) and f"x={more}" in words_of([], work, first)


def test_the_goal_selects_epochs_too(tmp_path: Path) -> None:
    write_reviews(tmp_path / "reviews.csv")
    found = planned(tmp_path, Budget(steps=16, goal="macro_f1"))
    assert "data.metrics=[f1_macro,accuracy,f1]" in found.candidates[0].overrides
    assert isinstance(found.candidates[0], Candidate) and found.budget.goal == "f1_macro"


def test_a_cap_that_nothing_meets_writes_nothing(tmp_path: Path) -> None:
    write_reviews(tmp_path / "reviews.csv")
    with pytest.raises(ConfigError, match=r"max_kb=0\.1: nothing fits\. The smallest that could is ngram at "):
        planned(tmp_path, Budget(max_kb=0.1, steps=16))
    assert not (tmp_path / "outputs").exists()


def test_a_line_is_said_once() -> None:
    lines: list[str] = []
    once = make.said_once(lines.append)
    for line in ("reading", "tokenising", "reading"):
        once(line)
    assert lines == ["reading", "tokenising"]
