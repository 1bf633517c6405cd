"""Scales: where values lie, and the round numbers at an axis."""

from __future__ import annotations

import pytest

from runner.report.scales import Scale, short, tick_words


def test_values_lie_between_the_ends_in_their_order() -> None:
    scale = Scale.over([1.0, 2.0, 3.0])
    assert 0 < scale.at(1.0) < scale.at(2.0) < scale.at(3.0) < 1 and not scale.is_log
    assert scale.at(2.0) == pytest.approx(0.5)


def test_a_wide_span_of_costs_is_logarithmic() -> None:
    scale = Scale.over([1e3, 1e7], can_be_log=True)
    assert scale.is_log and scale.at(1e5) == pytest.approx(0.5) and 1e4 in scale.ticks()
    assert not Scale.over([0.0, 1e7], can_be_log=True).is_log, "no logarithm of nothing"


@pytest.mark.parametrize("values", [[0.5], [0.0], [], [float("nan"), 2.0], [-3.0, 5.0], [0.8812, 0.8814]])
def test_every_scale_has_a_few_ticks_within(values: list[float]) -> None:
    scale = Scale.over(values)
    assert 2 <= len(scale.ticks()) <= 8 and all(scale.has(tick) for tick in scale.ticks())


@pytest.mark.parametrize(("low", "high"), [(1, 9), (1e3, 2e4), (1e2, 1e9), (1e-4, 3.0), (0.5, 1e15)])
def test_logarithmic_ticks_are_few_and_within(low: float, high: float) -> None:
    scale = Scale.over([low, high], can_be_log=True)
    assert 2 <= len(scale.ticks()) <= 9 and all(scale.has(tick) for tick in scale.ticks())


def test_numbers_are_short() -> None:
    assert [short(value) for value in (0, 0.8512, 12.0, 1234, 5e6, 2.5e9, -1500)] == [
        "0", "0.851", "12", "1.23 k", "5 M", "2.5 G", "-1.5 k"
    ]  # fmt: skip


def test_ticks_of_a_narrow_span_have_the_digits_that_tell_them_apart() -> None:
    ticks = Scale.over([0.8812, 0.8814]).ticks()
    assert [float(words) for words in tick_words(ticks)] == pytest.approx(ticks, abs=1e-9)
    assert tick_words([1230.0, 1231.0]) == ["1.23 k", "1.231 k"] and tick_words([0.0, 0.1 + 0.2]) == ["0", "0.3"]
