"""Passes a run's settings on to its trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from runner.schema import OptimizerSettings, ScheduleSettings, Settings, TrainSettings
from runner.training.recipe import TrainingRecipe

RENAMED = {"schedule": ("schedule", "name"), "warmup": ("schedule", "warmup")}  # the names that stages use


def recipe_of(settings: Settings) -> TrainingRecipe:
    """Return the part of a run's settings that a training needs."""
    return TrainingRecipe(
        settings.train, settings.optimizer, settings.schedule, settings.engine, settings.seed,
        settings.checkpoint.pause_at,
    )  # fmt: skip


def phase_recipe(recipe: TrainingRecipe, changes: Mapping[str, object]) -> TrainingRecipe:
    """Return the recipe of one phase of a stage: the run's own, with changes by the names of settings.

    None leaves a setting unchanged; a name that no group has is a TypeError. A phase of its own length is evaluated
    after each of its epochs.
    """
    groups = {"train": TrainSettings, "optimizer": OptimizerSettings, "schedule": ScheduleSettings}
    found: dict[str, dict[str, Any]] = {group: {} for group in groups}
    for name, value in changes.items():
        owner = (group for group, settings in groups.items() if name in {f.name for f in fields(settings)} - {"name"})
        group, key = RENAMED.get(name) or (next(owner, ""), name)
        if not group:
            raise TypeError(f"a phase of training has no setting {name!r}")
        if value is not None:
            found[group][key] = value
    if found["train"].keys() & {"epochs", "steps"}:
        found["train"].setdefault("eval_every", 1)
    return replace(
        recipe,
        train=replace(recipe.train, **found["train"]),
        optimizer=replace(recipe.optimizer, **found["optimizer"]),
        schedule=replace(recipe.schedule, **found["schedule"]),
    )
