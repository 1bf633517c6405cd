"""Choosing lengths by a budget, without torch."""

from __future__ import annotations

import pytest

from models.compression.lengths.choice import Choice, choices_of, kept_choice, within_loss, within_share
from models.compression.settings.length_search import LengthSearch
from models.errors import ModelError

FRONT = [Choice((0.5, 0.5), 0.31, 0.80), Choice((0.8, 0.7), 0.6, 0.88, 2.5), Choice((), 1.0, 0.9, 4.0)]


def test_a_budget_gets_the_best_lengths_that_fit_it() -> None:
    assert within_share(FRONT, 0.6) is FRONT[1]
    assert within_share(FRONT, 0.59) is FRONT[0]
    assert within_share(FRONT, 0.999) is FRONT[1]
    assert within_share([*FRONT[:1], Choice((0.9, 0.9), 0.8, 0.95), FRONT[2]], 1.0) is FRONT[2]


def test_a_budget_below_the_shortest_lengths_is_refused_with_the_reachable_one() -> None:
    with pytest.raises(ModelError, match=r"length=0\.2: .* take 0\.31 of .* Try: length=0\.31$"):
        within_share(FRONT, 0.2)
    with pytest.raises(ModelError, match=r"Try: length=0\.312$"):
        within_share([Choice((0.5,), 0.3111, 0.8), *FRONT[1:]], 0.1)


def test_the_reachable_budget_is_accepted() -> None:
    front = [Choice((0.5,), 0.31149, 0.8), *FRONT[1:]]
    assert within_share(front, 0.312) is front[0]


@pytest.mark.parametrize(("loss", "place"), [(0.0, 2), (0.02, 1), (0.1, 0), (0.0999, 1)])
def test_a_loss_gets_the_cheapest_lengths_within_it(loss: float, place: int) -> None:
    assert within_loss(FRONT, loss) is FRONT[place]


def test_settings_say_which_lengths_a_model_keeps() -> None:
    assert kept_choice(FRONT, LengthSearch(at_most_loss=None)) is FRONT[2]
    assert kept_choice(FRONT, LengthSearch(budget=0.7, at_most_loss=None)) is FRONT[1]
    assert kept_choice(FRONT, LengthSearch(at_most_loss=0.1)) is FRONT[0]
    assert kept_choice(FRONT, LengthSearch(at_most_loss=0.0)) is FRONT[2]


def test_two_ways_to_choose_contradict_each_other() -> None:
    assert LengthSearch(budget=0.5, at_most_loss=0.01).contradictions("length")
    assert not LengthSearch(at_most_loss=0.01).contradictions("length")


def test_choices_come_back_from_a_config() -> None:
    entry = {"method": "length", "mode": "ratio", "lengths": None, "choices": [one.to_json() for one in FRONT]}
    assert choices_of({"compressed": [{"method": "weight_only"}, entry]}) == FRONT
    assert choices_of({}) == []


@pytest.mark.parametrize(
    "content", [{}, {"lengths": 3, "share": 1, "score": 1}, {"lengths": [], "share": 2, "score": 1}]
)
def test_a_damaged_choice_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"^config.json"):
        choices_of({"compressed": [{"method": "length", "choices": [content]}]})
