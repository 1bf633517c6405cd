"""Settings of distillation: contradictions, and which losses need internal states."""

from __future__ import annotations

from dataclasses import fields

from models.compression.settings.learn import MARGIN_MSE, Dendrites, Distil, DistilLosses, DistilPhase, TaughtSettings


def test_a_phase_that_learns_nothing_and_losses_of_other_tokens_are_refused() -> None:
    idle = Distil(phases={"task": DistilPhase()})
    assert "losses are all 0" in idle.contradictions("d")[0]
    inside = Distil(tokens="own", phases={"task": DistilPhase(DistilLosses(hidden=1.0))})
    assert "the losses hidden compare states token by token" in inside.contradictions("d")[0]
    assert "teacher_length has no effect" in Distil(teacher_length=64).contradictions("d")[0]


def test_the_losses_in_use_say_whether_internal_states_and_projections_are_needed() -> None:
    outputs, states = DistilLosses(soft=1.0, hard=0.5), DistilLosses(cosine=1.0, embedding=0.1)
    assert outputs.internal == [] and not outputs.is_projected
    assert states.internal == ["embedding", "cosine"] and states.is_projected
    assert not DistilLosses(relation=1.0).is_projected


def test_controls_take_the_words_of_what_they_are_compared_with() -> None:
    assert Dendrites(mode="restart").without_effect() == Dendrites(mode="base").without_effect() == {}
    assert "pool" in Dendrites().without_effect() and "pool" not in Dendrites(mode="cascor").without_effect()


def test_margins_have_no_temperature() -> None:
    phases = {"task": DistilPhase(DistilLosses(soft=1.0))}
    assert Distil(soft=MARGIN_MSE, phases=phases).without_effect()["temperature"] == "soft=kl"
    assert "temperature" not in Distil(phases=phases).without_effect()


def test_all_that_a_taught_stage_may_be_given_is_declared_where_others_read_it() -> None:
    declared = {one.name for one in fields(TaughtSettings)}
    assert {"teacher", "tokens", "teacher_length", "unlabelled", "unlabelled_rows", "augment"} <= declared
