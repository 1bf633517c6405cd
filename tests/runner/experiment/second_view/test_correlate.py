"""The training of two views: batches that are all large, and a rate of its own."""

from __future__ import annotations

import numpy as np
import pytest

from runner.experiment.second_view.correlate import batches_of, correlation_recipe
from runner.schema import Settings
from runner.training.plan import BatchPlan


@pytest.mark.parametrize(("rows", "size", "batches"), [(7366, 1024, 7), (300, 256, 1), (100, 1024, 1), (2048, 1024, 2)])
def test_an_epoch_has_batches_of_at_least_the_size_that_is_asked_for(rows: int, size: int, batches: int) -> None:
    settings = Settings()
    settings.view.batch_size, settings.view.epochs = size, 2
    recipe = correlation_recipe(settings, rows)
    plan = BatchPlan(np.ones(rows, int), recipe.train, seed=0)
    sizes = [len(batch) for epoch in range(2) for batch in plan.batches(epoch)]
    assert len(sizes) == 2 * batches == 2 * batches_of(rows, size) and min(sizes) >= min(size, rows)
    assert sum(sizes) == 2 * rows, "every pair, in every epoch"


def test_the_rate_is_the_views_and_nothing_of_the_runs_schedule_is_left() -> None:
    settings = Settings()
    settings.train.steps, settings.train.accumulate, settings.train.patience, settings.train.r_drop = 5, 2, 1, 1.0
    recipe = correlation_recipe(settings, 1000)
    assert recipe.optimizer.lr == settings.view.lr and recipe.schedule.name == "constant"
    assert recipe.train.steps is None and recipe.train.accumulate == 1 and recipe.train.patience is None
    assert recipe.train.r_drop == 0.0, "two views have no answers of two passes to compare"
