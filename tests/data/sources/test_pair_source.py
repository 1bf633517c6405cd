"""Names of paradigms: all, some, each once, and the nearest ones where a name is unknown."""

from __future__ import annotations

import pytest

from data.errors import DataError
from data.sources.pair_source import PairSource, checked_names, chosen_paradigms

SOURCE = PairSource("some", paradigms=("wh_island", "passive_1", "passive_2"))


def test_no_choice_is_all_and_a_choice_keeps_its_order_each_once() -> None:
    assert chosen_paradigms(SOURCE, []) == SOURCE.paradigms
    assert chosen_paradigms(SOURCE, ["passive_2", "wh_island", "passive_2"]) == ("passive_2", "wh_island")


def test_an_unknown_name_is_refused_with_the_nearest_or_the_first_ones() -> None:
    with pytest.raises(DataError, match=r"some has no 'pasive_1'; the nearest of its 3: passive_1, passive_2"):
        chosen_paradigms(SOURCE, ["pasive_1"])
    with pytest.raises(DataError, match=r"has no 'zzz'; some of its 6: a0, a1, a2, a3, a4, \.\.\.\. Try"):
        checked_names("file.csv", [f"a{i}" for i in range(6)], ["zzz"])


def test_a_choice_among_no_names_is_refused() -> None:
    with pytest.raises(DataError, match=r"own names no paradigms, .* Leave paradigms= out"):
        chosen_paradigms(PairSource("own", id="someone/own"), ["wh_island"])
