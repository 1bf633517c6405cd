"""The border between a run's settings and its trainings."""

from __future__ import annotations

from runner.schema import Settings
from runner.training.recipe import TrainingRecipe


def recipe_of(settings: Settings) -> TrainingRecipe:
    """The part of a run's settings that a training is told."""
    return TrainingRecipe(
        settings.train, settings.optimizer, settings.schedule, settings.engine, settings.data.class_weights,
        settings.seed,
    )  # fmt: skip
