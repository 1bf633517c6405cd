"""The recipe of a training, and the changes that a stage makes to it."""

from __future__ import annotations

import pytest

from runner.experiment.recipe import phase_recipe, recipe_of
from runner.schema import Settings


def test_a_phase_changes_what_it_names_and_nothing_else() -> None:
    before = recipe_of(Settings())
    after = phase_recipe(before, {"epochs": 7, "lr": 1e-5, "schedule": "constant", "warmup": None, "weight_decay": 0.0})
    assert (after.train.epochs, after.optimizer.lr, after.schedule.name) == (7, 1e-5, "constant")
    assert after.schedule.warmup == before.schedule.warmup and after.train.batch_size == before.train.batch_size
    assert after.optimizer.weight_decay == 0.0 and before.train.epochs == Settings().train.epochs
    with pytest.raises(TypeError, match="no setting 'epoch'"):
        phase_recipe(before, {"epoch": 7})
