"""The settings of one training: everything the loop needs apart from model and data."""

from __future__ import annotations

from dataclasses import dataclass

from runner.schema import EngineSettings, OptimizerSettings, ScheduleSettings, TrainSettings


@dataclass(frozen=True)
class TrainingRecipe:
    """The settings of one training; a stage of a compression chain changes a few of them for its own training."""

    train: TrainSettings
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
    engine: EngineSettings
    seed: int = 0  # of the order of the rows
    pause_at: float | None = None  # share of the steps after which it pauses, at the next end of an epoch
