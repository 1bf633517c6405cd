"""The plan of a training: how many steps, which rows in each, and when it is evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from data.units import Units
from runner.schema import TrainSettings
from runner.training.plan import POINTS, BatchPlan

LENGTHS = np.full(800, 10)


def plan(seed: int = 0, **settings: Any) -> BatchPlan:
    return BatchPlan(LENGTHS, TrainSettings(batch_size=8, **settings), seed)


def test_a_fraction_of_an_epoch_is_that_share_of_its_steps() -> None:
    found = plan(epochs=1.25)
    assert found.steps == [100, 25] and len(found.batches(1)) == 25
    assert plan(epochs=1.001).steps == [100, 1]


def test_a_batch_has_no_empty_parts() -> None:
    assert [part.tolist() for part in plan().parts(np.arange(2), 4)] == [[0], [1]]
    assert [len(part) for part in plan().parts(np.arange(8), 3)] == [3, 3, 2]


@pytest.mark.parametrize(("steps", "expected"), [(30, [30]), (100, [100]), (230, [100, 100, 30])])
def test_a_number_of_steps_takes_precedence_over_epochs(steps: int, expected: list[int]) -> None:
    assert plan(epochs=9.0, steps=steps).steps == expected


def test_an_epoch_has_every_row_once_in_an_order_of_the_seed_and_the_epoch() -> None:
    orders = [np.concatenate(plan(seed).batches(epoch)).tolist() for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))]
    assert all(sorted(order) == list(range(800)) for order in orders)
    assert orders[0] == orders[1] and orders[0] != orders[2] and orders[0] != orders[3]


def test_a_token_budget_sets_the_rows_of_a_batch() -> None:
    assert {len(rows) for rows in plan(token_budget=50).batches(0)} == {5}


def test_evaluations_are_spread_over_the_training_and_the_ends_of_epochs_are_none_of_them() -> None:
    found = plan(epochs=2.0, evals=4)
    assert found.evaluations_within == {50, 150}, "steps 100 and 200 end epochs, which evaluate anyway"
    assert found.evaluations == {50, 100, 150, 200}


@pytest.mark.parametrize(("every", "expected"), [(1, {100, 200, 300}), (2, {200, 300}), (3, {300}), (9, {300})])
def test_the_last_epoch_is_always_evaluated(every: int, expected: set[int]) -> None:
    assert plan(epochs=3.0, eval_every=every).evaluations == expected


def test_a_long_training_logs_about_two_hundred_points() -> None:
    found = plan(epochs=50.0)
    assert found.total == 5000 and found.log_every == 5000 // POINTS


@pytest.mark.parametrize("length", [{"steps": 10}, {"epochs": 2.0}])
def test_an_epoch_without_a_batch_is_an_error_and_no_endless_loop(length: dict[str, Any]) -> None:
    units = Units(np.array([0, 800]), np.zeros(800, bool), np.ones(800, bool), 1)
    with pytest.raises(ValueError, match="no query with a relevant candidate"):
        BatchPlan(LENGTHS, TrainSettings(batch_size=8, **length), 0, units)
    with pytest.raises(ValueError, match="no rows"):
        BatchPlan(LENGTHS[:0], TrainSettings(batch_size=8, **length), 0)
