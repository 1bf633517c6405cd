"""Which stages a run has, in which order."""

from __future__ import annotations

from models.compression.settings.learn import Distil
from models.compression.settings.pruning import Magnitude
from runner.experiment.stage_plan import TRAIN, stage_plan
from runner.schema import Settings


def names(settings: Settings) -> list[str]:
    return [stage.name for stage in stage_plan(settings)]


def test_a_run_without_compression_is_the_plain_training() -> None:
    (stage,) = stage_plan(Settings())
    assert stage.name == TRAIN and stage.options is None


def test_the_plain_training_comes_before_a_pruning_but_not_before_a_distillation() -> None:
    assert names(Settings(compression={"magnitude": Magnitude()})) == [TRAIN, "magnitude"]
    assert names(Settings(compression={"distil": Distil(), "magnitude": Magnitude()})) == ["distil", "magnitude"]


def test_a_pruning_from_first_weights_takes_the_plain_trainings_place() -> None:
    assert names(Settings(compression={"magnitude": Magnitude(starts="pretrained")})) == ["magnitude"]


def test_a_finished_model_is_not_trained_again() -> None:
    assert names(Settings(finished="outputs/x/model", compression={"magnitude": Magnitude()})) == ["magnitude"]
