"""The settings of all stages: the promises of a stage that states nothing else."""

from __future__ import annotations

import pytest

from models.compression.settings import METHODS
from models.compression.settings.stage import StageSettings


def test_a_stage_promises_nothing_unless_it_says_so() -> None:
    stage = StageSettings()
    assert not (stage.replaces_training or stage.keeps_codes or stage.keeps_share or stage.keeps_zeros)
    assert stage.without_effect() == {} and stage.contradictions("any") == []


@pytest.mark.parametrize("name", METHODS)
def test_options_that_are_switched_off_and_those_that_switch_them_exist(name: str) -> None:
    stage = METHODS[name]()
    for option, cure in stage.without_effect().items():
        for path in (option, cure.partition("=")[0]):
            owner: object = stage
            for part in path.split("."):
                if isinstance(owner, dict):  # the phases of a distillation, which the YAML names
                    break
                assert part in vars(owner), f"{name} has no option {path}"
                owner = vars(owner)[part]
