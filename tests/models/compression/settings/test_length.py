"""Where in a chain lengths stand."""

from __future__ import annotations

import pytest

from models.compression.settings.chain import missing_requirements, out_of_order
from models.compression.settings.learn import Distil
from models.compression.settings.length import Length, LengthTraining
from models.compression.settings.length_search import LengthSearch
from models.compression.settings.pruning import Magnitude
from models.compression.settings.quantization import WeightOnly


def test_lengths_come_after_learning_and_pruning_and_before_quantizing() -> None:
    chain = {"distil": Distil(), "magnitude": Magnitude(), "length": Length(), "int8": WeightOnly()}
    assert out_of_order(chain) == []  # type: ignore[arg-type]
    (found,) = out_of_order({"length": Length(), "magnitude": Magnitude()})
    assert "Try: 'compression=[magnitude,length]'" in found


def test_lengths_that_mean_nothing_are_refused_by_their_key() -> None:
    (found,) = missing_requirements({"mine": Length(lengths=[20, 30], mode="absolute")}, has_encoder=True)
    assert found.startswith("compression.mine.lengths: layer 2 keeps 30 tokens") and "Try: 20" in found
    (empty,) = missing_requirements({"mine": Length(lengths=[])}, has_encoder=True)
    assert "there is no value" in empty
    both = Length(search=LengthSearch(budget=0.5, at_most_loss=0.01))
    (two,) = missing_requirements({"mine": both}, has_encoder=True)
    assert "both say which lengths" in two


def test_options_without_effect_beside_given_lengths_are_those_of_the_search_and_of_random_shortest_lengths() -> None:
    stage = Length(lengths=[0.5, 0.5])
    assert stage.without_effect()["train.drop"] == "lengths=null" == stage.without_effect()["search.budget"]
    assert Length(lengths=[0.5], train=LengthTraining(epochs=0.0)).without_effect()["train.drop"] == "train.epochs=2"
    assert "train.drop" not in Length().without_effect()


@pytest.mark.parametrize("has_encoder", [True, False])
def test_lengths_need_an_encoder(has_encoder: bool) -> None:
    found = missing_requirements({"length": Length()}, has_encoder=has_encoder)
    assert bool(found) is not has_encoder
