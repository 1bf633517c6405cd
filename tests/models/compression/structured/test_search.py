"""The knapsack against brute force, the budget, and what the random search adds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from models.compression.structured import search
from models.compression.structured.search import Choices, ffn_widths, search_weights, solve_knapsack


def halves(seed: int, count: int = 4, levels: int = 5) -> list[Choices]:
    """Halves whose errors rise and whose times, whole milliseconds, fall with the level."""
    generator = np.random.default_rng(seed)
    return [
        Choices(
            list(range(levels))[::-1],
            np.sort(generator.random(levels)),
            np.sort(generator.integers(1, 20, levels))[::-1].astype(float),
        )
        for _ in range(count)
    ]


def total(given: list[Choices], levels: tuple[int, ...]) -> tuple[float, float]:
    """Error and time."""
    return (
        sum(float(half.errors[level]) for half, level in zip(given, levels)),
        sum(float(half.times[level]) for half, level in zip(given, levels)),
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_levels_are_the_best_of_all_within_the_budget(seed: int) -> None:
    given = halves(seed)
    every = [total(given, levels) for levels in itertools.product(range(5), repeat=4)]
    for budget in (25.0, 40.0):
        allowed = [error for error, time in every if time <= budget]
        found = solve_knapsack(given, np.ones(4), budget)
        assert (found is None) == (not allowed)
        if found:
            error, time = total(given, found)
            assert time <= budget and error == pytest.approx(min(allowed))


def test_uneven_times_never_exceed_the_budget() -> None:
    given = [Choices(half.widths, half.errors, half.times * np.pi / 3) for half in halves(7, count=24)]
    for budget in (150.0, 200.0, 260.0):
        found = solve_knapsack(given, np.ones(24), budget)
        assert found and total(given, found)[1] <= budget


def test_a_budget_below_the_least_times_has_no_solution() -> None:
    given = halves(0)
    least = sum(float(half.times.min()) for half in given)
    assert solve_knapsack(given, np.ones(4), least * 0.99) is None and solve_knapsack(given, np.ones(4), 0.0) is None
    assert solve_knapsack(given, np.ones(4), least) is not None


def test_the_search_finds_levels_of_less_loss_and_tries_each_once() -> None:
    given, asked = halves(1, count=8), list[tuple[int, ...]]()
    wanted = np.random.default_rng(0).integers(0, 5, 8)

    def loss(levels: tuple[int, ...]) -> float:
        asked.append(levels)
        return float(np.abs(np.array(levels) - wanted).sum())

    weights = search_weights(given, 60.0, loss, 60, seed=0)
    chosen = solve_knapsack(given, weights, 60.0)
    assert chosen and min(loss(levels) for levels in [*asked]) == loss(chosen)
    assert loss(chosen) < loss(asked[0]), "better than all halves alike"
    assert len(set(asked[:-2])) < 61


def test_times_that_use_the_budget_up_are_within_it_however_short_it_is() -> None:
    given = [Choices([2, 1, 0], np.array([0.0, 0.5, 1.0]), np.array([0.2, 0.1, 0.0]))] * 2
    assert solve_knapsack(given, np.ones(2), 0.4) == (0, 0)
    assert solve_knapsack(given[:1], np.ones(1), 0.2) == (0,) and solve_knapsack(given[:1], np.ones(1), 0.15) == (1,)


def test_weights_that_are_no_better_are_forgotten() -> None:
    given = halves(1)
    first = solve_knapsack(given, np.ones(4), 40.0)
    weights = search_weights(given, 40.0, lambda levels: float(levels != first), 30, seed=0)
    assert weights.tolist() == [1.0] * 4
    assert search_weights(given, 40.0, lambda levels: 1.0, 30, seed=0).tolist() == [1.0] * 4, "nor are equal ones kept"


def test_a_fifth_of_the_steps_draws_all_weights_and_the_others_ever_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = list[np.ndarray]()

    def solve(sublayers: Sequence[Choices], weights: np.ndarray, budget: float) -> tuple[int, ...]:
        tried.append(weights.copy())
        return (len(tried),)

    monkeypatch.setattr(search, "solve_knapsack", solve)
    search_weights(halves(1, count=20), 40.0, lambda levels: float(levels != (1,)), 10, seed=0)  # the first is best
    # A tenth of 20, times the share of the steps that is left, rounded, but at least one: 1.6, 1.4, 1.2, ...
    assert [int((weights != 1.0).sum()) for weights in tried] == [0, 20, 20, 2, 1, 1, 1, 1, 1, 1, 1]
    assert all(((weights > 0) & (weights <= 1)).all() for weights in tried)


def test_a_search_without_any_solution_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"nothing is within 0\.5 ms"):
        search_weights(halves(0), 0.5, lambda levels: 0.0, 3, seed=0)


def test_without_steps_no_model_is_scored() -> None:
    weights = search_weights(halves(1), 60.0, lambda levels: pytest.fail("scored"), 0, seed=0)
    assert weights.tolist() == [1.0] * 4


def test_feed_forward_widths_shrink_by_a_tenth_to_multiples_and_to_nothing() -> None:
    assert ffn_widths(3072, 1)[:4] == [3072, 2765, 2488, 2239] and ffn_widths(3072, 1)[-2:] == [37, 0]
    widths = ffn_widths(1000, 16)
    assert widths[0] == 1000 and all(width % 16 == 0 for width in widths[1:]) and len(set(widths)) == len(widths)
    assert ffn_widths(8, 16) == [8, 0]
    assert ffn_widths(100, 16) == [100, 96, 80, 64, 48, 32, 16, 0]
    assert ffn_widths(96, 32) == [96, 64, 32, 0], "the widest one once, although 86.4 is rounded to it"
