"""Texts that a stage reads from outside its run."""

from __future__ import annotations

from runner.experiment.stage_inputs import StageInputs


def test_a_stage_without_inputs_adds_nothing_to_the_identity_and_no_texts() -> None:
    inputs = StageInputs()
    assert inputs.identity_contents("magnitude") == {} and inputs.extra_texts(None) == []  # type: ignore[arg-type]
