"""The stages of a run in order: the plain training and each compression."""

from __future__ import annotations

from dataclasses import dataclass

from models.compression.settings.stage import StageSettings
from runner.schema import Settings

TRAIN = "train"


@dataclass(frozen=True)
class PlannedStage:
    """One stage of the chain; without options it is the plain training."""

    name: str
    options: StageSettings | None = None


def stage_plan(settings: Settings) -> list[PlannedStage]:
    """Return the stages in order.

    The plain training comes first, unless the model is finished or the first stage trains.
    """
    stages = [PlannedStage(name, options) for name, options in settings.compression.items()]
    first = next(iter(settings.compression.values()), None)
    if settings.finished or (first and first.replaces_training):
        return stages
    return [PlannedStage(TRAIN), *stages]
