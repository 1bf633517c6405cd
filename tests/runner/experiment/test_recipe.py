"""The recipe of a training, and the changes that a stage makes to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.experiment.recipe import phase_recipe, recipe_of
from runner.schema import Settings


def test_a_phase_changes_what_it_names_and_nothing_else() -> None:
    before = recipe_of(Settings())
    after = phase_recipe(before, {"epochs": 7, "lr": 1e-5, "schedule": "constant", "warmup": None, "weight_decay": 0.0})
    assert (after.train.epochs, after.optimizer.lr, after.schedule.name) == (7, 1e-5, "constant")
    assert after.schedule.warmup == before.schedule.warmup and after.train.batch_size == before.train.batch_size
    assert after.optimizer.weight_decay == 0.0 and before.train.epochs == Settings().train.epochs
    assert phase_recipe(replace(before, train=replace(before.train, eval_every=4)), {"lr": 1.0}).train.eval_every == 4
    with pytest.raises(TypeError, match="no setting 'epoch'"):
        phase_recipe(before, {"epoch": 7})


@pytest.mark.parametrize("length", [{"epochs": 3}, {"steps": 100}])
def test_a_phase_of_its_own_length_is_evaluated_after_each_epoch(length: dict[str, int]) -> None:
    before = recipe_of(Settings())
    seldom = replace(before, train=replace(before.train, eval_every=10))
    assert phase_recipe(seldom, length).train.eval_every == 1
