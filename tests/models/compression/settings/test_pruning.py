"""Settings of pruning that contradict each other are refused."""

from __future__ import annotations

from models.compression.settings.pruning import L0, Magnitude, Movement, Recovery, Ziplm


def test_a_schedule_that_ends_before_it_begins_and_scores_without_training_are_refused() -> None:
    assert "is later than compression.m.end" in Magnitude(start=0.5, end=0.2).contradictions("m")[0]
    assert "scores start at 0" in Movement(start=0.0).contradictions("m")[0]
    assert "only training closes gates" in L0(epochs=0.0).contradictions("l")[0]


def test_a_recovery_without_any_loss_is_refused() -> None:
    idle = Recovery(epochs=1.0, answers=0.0, states=0.0)
    assert "are all 0, so nothing is learned" in Ziplm(recovery=idle).contradictions("z")[0]
    assert not Ziplm(recovery=Recovery(answers=0.0, states=0.0)).contradictions("z"), "there is no training"
    assert not Ziplm(recovery=Recovery(epochs=1.0, answers=0.0)).contradictions("z")
