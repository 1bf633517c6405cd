from __future__ import annotations

import pytest

from runner.best.plan.overrides import filled_words, further_epochs, with_inputs
from runner.best.plan.portfolio import read_portfolio
from runner.best.types import Budget


def test_overrides_take_the_values_of_the_budget() -> None:
    words = ("model.max_kb={kb}", "model.n={quarter_kb}", "x={teacher}")
    assert filled_words(words, Budget(max_kb=200.7)) == ("model.max_kb=200", "model.n=50", "x={teacher}")
    assert filled_words(words, Budget(max_kb=200), spare=384)[:2] == ("model.max_kb=199", "model.n=50")
    small = [filled_words(words[:1], Budget(max_kb=kb), spare=384)[0] for kb in (10.5, 9.999, 2, 1.384, 0.1)]
    assert small == [f"model.max_kb={kb}" for kb in ("10", "9.6", "1.6", "1", "0.1")], "a kilobyte is much of so few"
    assert filled_words(words, Budget()) == ("model.max_kb=null", "model.n=50", "x={teacher}")


def test_a_plan_does_not_contain_the_inputs_that_its_runs_take() -> None:
    words = ("x={teacher}", "y={unlabelled}")
    assert filled_words(words, Budget(unlabelled="more.csv")) == words
    assert with_inputs(words, "abc", "my texts.csv") == ["x=abc", 'y="my texts.csv"']
    assert with_inputs(words, None, None) == ["x=", "y=null"]


def test_a_student_learns_from_fewer_unlabelled_texts_on_a_fold() -> None:
    for kind in read_portfolio():
        if any("{unlabelled}" in word for word in kind.words):
            limit = "compression.distil_unlabelled.unlabelled_rows="
            assert f"{limit}50000" in with_inputs(kind.words, "abc", "more.csv")
            assert f"{limit}5000" in with_inputs(kind.words, "abc", "more.csv", on_fold=True)


@pytest.mark.parametrize(("rows", "epochs"), [
    (50, 50), (384, 50), (400, 48), (1000, 20), (3000, 7), (6400, None), (60_000, None), (float("inf"), None),
])  # fmt: skip
def test_few_rows_take_more_epochs(rows: float, epochs: int | None) -> None:
    assert further_epochs((3, 600, 50), rows) == epochs
    assert further_epochs((), rows) is None
