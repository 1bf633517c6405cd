"""A named sweep on other data says so and makes no claims about its own."""

from __future__ import annotations

from typing import Any

import pytest

from runner.sweep.other_data import on_other_data
from runner.sweep.settings import SweepSettings

CLAIMS: list[dict[str, Any]] = [
    {"claim": "named", "where": {"model.name": "dsn", "data.name": "imdb"}, "versus": None},
    {"claim": "parts", "all": [{"where": {"data.name": "sst2"}, "versus": {"data": "imdb"}}]},
    {"claim": "of all its data", "where": {"model.name": "dsn"}},
]
SWEEP = SweepSettings(name="best_under_1mb", question="Which?", price="an hour", claims=CLAIMS)


def test_the_users_data_are_stated_and_the_claims_are_dropped() -> None:
    found = on_other_data(SWEEP, ["+sweep=best_under_1mb", "data=files", "data.path=reviews.csv", "seed=0"])
    assert found.claims == [] and found.price is None
    said = "Which? Here with data=files data.path=reviews.csv in place of sst2, imdb."
    assert found.question == f"{said} 3 claims about those are left out."


@pytest.mark.parametrize("words", [[], ["data=imdb"], ["data=imdb,sst2"], ["data.max_rows=9"]])
def test_its_own_data_or_a_part_of_them_change_nothing(words: list[str]) -> None:
    assert on_other_data(SWEEP, words) is SWEEP


def test_claims_about_data_that_are_there_stay() -> None:
    found = on_other_data(SWEEP, ["data=imdb,files"])
    assert [claim["claim"] for claim in found.claims] == ["named"] and "2 claims about those are" in str(found.question)


def test_a_sweep_without_a_name_or_of_a_file_elsewhere_is_left_alone() -> None:
    for sweep in (SweepSettings(question="Which?"), SweepSettings(name="mine", claims=CLAIMS)):
        assert on_other_data(sweep, ["data=files"]) is sweep
