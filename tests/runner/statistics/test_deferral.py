"""Deferral: exact bounds against published numbers, and guarantees that hold on simulated models."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics import deferral
from runner.statistics.deferral import Deferral, NoDeferral
from runner.statistics.rejection import clopper_pearson


@pytest.mark.parametrize(
    ("harms", "helps", "rows", "net", "bound"),
    [
        (440, 420, 25_000, 0.0008, 0.004064),
        (88, 72, 5_000, 0.0032, 0.010356),
        (10, 10, 2_000, 0.0, 0.006776),
        (5, 4, 872, 0.00115, 0.012079),
    ],
)
def test_bound_of_the_net_loss(harms: int, helps: int, rows: int, net: float, bound: float) -> None:
    assert deferral.net_loss_bound(harms, helps, rows) == pytest.approx(bound, abs=1e-6)
    assert Deferral(0.9, 1, harms, helps, rows, bound).loss == pytest.approx(net, abs=5e-6)
    low, high = deferral.net_loss_interval(harms, helps, rows)
    assert low < net < bound < high
    assert (low, high) == pytest.approx(
        (
            clopper_pearson(harms, rows, 0.9875)[0] - clopper_pearson(helps, rows, 0.9875)[1],
            clopper_pearson(harms, rows, 0.9875)[1] - clopper_pearson(helps, rows, 0.9875)[0],
        )
    )


@pytest.mark.parametrize(
    ("harms", "rows", "delta", "bound"),
    [(0, 600, 0.05, 0.004980), (3, 1000, 0.05, 0.007735), (10, 2000, 0.05, 0.008466), (10, 2000, 0.005, 0.010668)],
)
def test_bound_of_the_harm_alone(harms: int, rows: int, delta: float, bound: float) -> None:
    assert clopper_pearson(harms, rows, 1 - delta)[1] == pytest.approx(bound, abs=1e-6)


def test_fewest_rows_certify_without_a_harm_and_one_row_fewer_does_not() -> None:
    fewest = deferral.fewest_rows(0.005)
    assert deferral.net_loss_bound(0, 0, fewest) <= 0.005 < deferral.net_loss_bound(0, 0, fewest - 1)
    assert deferral.fewest_rows(0.005, delta=0.1) == 598  # delta / 2 = 0.05: of the spec's bound of harms alone


def test_rows_needed_are_enough_and_not_many_more() -> None:
    needed = deferral.rows_needed(0.0176, 0.0168, 0.005)
    assert needed is not None and 15_000 < needed < 25_000
    for rows, holds in ((needed, True), (round(0.97 * needed), False)):
        bound = deferral.net_loss_bound(round(0.0176 * rows), round(0.0168 * rows), rows)
        assert (bound <= 0.005) is holds
    assert deferral.rows_needed(0.02, 0.01, 0.005) is None
    assert deferral.rows_needed(0.0, 0.0, 0.005) == deferral.fewest_rows(0.005)


def test_fixed_sequence_stops_before_the_first_step_that_fails_even_where_later_ones_pass() -> None:
    harms, helps = np.array([0, 1, 9, 1]), np.zeros(4, int)
    assert deferral.last_certified(harms, helps, 2_000, 0.005) == 1
    assert deferral.last_certified(harms[2:], helps[2:], 2_000, 0.005) == -1
    assert deferral.last_certified(harms, helps, 2_000, 0.5) == 3


def test_steps_count_the_rows_at_or_above_their_threshold_and_keep_equal_confidences_together() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.integers(5, 11, 300) / 10
    small, large = rng.random(300) < 0.8, rng.random(300) < 0.9
    steps = deferral.deferral_steps(confidence, small, large)
    assert len(steps.thresholds) == 6 and steps.thresholds[-1] == deferral.ALL
    assert (np.diff(steps.thresholds) < 0).all()
    for threshold, answered, harms, helps in zip(
        steps.thresholds, steps.answered, steps.harms, steps.helps, strict=True
    ):
        taken = confidence >= threshold
        assert answered == taken.sum()
        assert harms == (taken & ~small & large).sum()
        assert helps == (taken & small & ~large).sum()


@pytest.mark.parametrize(("gap", "margin"), [(0.1, 1e-6), (1e-6, 0.5e-6), (1e-8, 0.5e-8)])
def test_the_last_row_is_answered_by_an_engine_that_rounds_otherwise(gap: float, margin: float) -> None:
    confidence = np.concatenate([np.full(899, 0.9), [0.7 + gap], np.full(100, 0.7)])
    steps = deferral.deferral_steps(confidence, np.ones(1000, bool), np.ones(1000, bool))
    assert steps.answered.tolist() == [899, 900, 1000]
    assert 0.7 + gap - steps.thresholds[1] == pytest.approx(margin, rel=1e-4)


def test_only_the_first_step_may_be_certified() -> None:
    rows = np.arange(2000)
    confidence, large, small = 1 - (rows // 1000) / 2, np.ones(2000, bool), rows < 1000
    found = deferral.find_deferral(confidence, small, large, 0.005)
    assert isinstance(found, Deferral)
    assert (found.answered, found.harms, found.bound) == (1000, 0, deferral.net_loss_bound(0, 0, 2000))


def test_equal_models_are_replaced_everywhere_and_too_few_rows_say_how_many_are_needed() -> None:
    confidence, right = np.linspace(0.5, 1, 1000), np.arange(1000) % 9 > 0
    found = deferral.find_deferral(confidence, right, right, 0.005)
    assert isinstance(found, Deferral) and (found.threshold, found.answered) == (deferral.ALL, 1000)
    few = deferral.find_deferral(confidence[:700], right[:700], right[:700], 0.005)
    assert few == NoDeferral("it takes at least 736 calibration rows, but there are 700", 736)


def test_surest_answers_that_harm_are_refused_and_an_estimate_defers_all() -> None:
    confidence, large = np.linspace(0.5, 1, 2000), np.ones(2000, bool)
    none = deferral.find_deferral(confidence, ~large, large, 0.005)
    assert (
        isinstance(none, NoDeferral)
        and none.rows_needed is None
        and "only the large model is right on 40" in none.reason
    )
    estimate = deferral.estimate_deferral(confidence, ~large, large, 0.005)
    assert (estimate.threshold, estimate.answered, estimate.loss) == (deferral.NONE, 0, 0.0)


def test_estimate_takes_the_lowest_threshold_within_the_loss() -> None:
    confidence = np.linspace(1, 0.5, 100)
    large, small = np.ones(100, bool), np.arange(100) < 90
    found = deferral.estimate_deferral(confidence, small, large, 0.02)
    assert (found.answered, found.harms, found.helps) == (92, 2, 0)
    assert found.bound > found.loss == 0.02


@pytest.mark.parametrize("skill", [0.5, 2.0])
def test_certified_loss_is_kept_by_all_but_few_draws_of_calibration_rows(skill: float) -> None:
    """skill: how fast the small model's errors become fewer with its confidence."""
    rng, draws, rows, at_most = np.random.default_rng(1), 40, 3_000, 0.02
    grid = np.linspace(0.5, 1, 20_001)
    harm, gain = 0.12 * (2 - 2 * grid) ** skill, 0.04 * (2 - 2 * grid)
    tail = np.cumsum((harm - gain)[::-1])[::-1] / len(grid)  # the true loss where all above a confidence are answered
    broken = answered = 0
    for _ in range(draws):
        confidence, draw = 0.5 + rng.random(rows) / 2, rng.random(rows)
        is_harmed = draw < np.interp(confidence, grid, harm)
        is_helped = (draw > 0.5) & (draw - 0.5 < np.interp(confidence, grid, gain))
        found = deferral.find_deferral(confidence, ~is_harmed, ~is_helped, at_most)
        if isinstance(found, Deferral):
            answered += 1
            broken += bool(np.interp(found.threshold, grid, tail) > at_most)
    assert answered > 0.9 * draws
    assert broken <= 0.05 * draws
