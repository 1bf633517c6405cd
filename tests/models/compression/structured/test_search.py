"""The knapsack against brute force, the budget, and what the random search adds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

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


def test_without_steps_no_model_is_scored() -> None:
    weights = search_weights(halves(1), 60.0, lambda levels: pytest.fail("scored"), 0, seed=0)
    assert weights.tolist() == [1.0] * 4


def test_feed_forward_widths_shrink_by_a_tenth_to_multiples_and_to_nothing() -> None:
    assert ffn_widths(3072, 1)[:4] == [3072, 2765, 2488, 2239] and ffn_widths(3072, 1)[-2:] == [37, 0]
    widths = ffn_widths(1000, 16)
    assert widths[0] == 1000 and all(width % 16 == 0 for width in widths[1:]) and len(set(widths)) == len(widths)
    assert ffn_widths(8, 16) == [8, 0]
