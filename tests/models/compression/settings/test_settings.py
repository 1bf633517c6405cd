"""Every method has settings, a module and a preset; stages in a wrong order or without what they need are refused."""

from __future__ import annotations

from dataclasses import fields
from importlib.util import find_spec

import pytest

from models.compression.settings import METHODS, RANK, missing_requirements, out_of_order
from models.compression.settings.learn import Distil, DistilLosses, DistilPhase, TaughtSettings
from models.compression.settings.pruning import L0, Magnitude, Movement
from models.compression.settings.quantization import Bf16, WeightOnly


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_module_of_its_name_and_a_kind(method: str) -> None:
    settings = METHODS[method]
    assert settings().method == method and settings.kind in RANK
    assert find_spec(f"models.compression.{method}")


def test_what_learns_comes_before_what_prunes_and_that_before_what_quantizes() -> None:
    assert out_of_order({"a": Distil(), "b": Magnitude(), "c": WeightOnly()}) == []
    assert "Try: compression=[b,c]" in out_of_order({"c": WeightOnly(), "b": Magnitude()})[0]
    assert "both quantize the same weights" in out_of_order({"c": WeightOnly(), "d": Bf16()})[0]


def test_a_distillation_may_follow_a_pruning_as_it_keeps_the_zeros() -> None:
    assert out_of_order({"b": Magnitude(), "a": Distil()}) == []


def test_a_stage_without_its_teacher_or_its_encoder_is_refused_with_the_cure() -> None:
    phases = {"task": DistilPhase(DistilLosses(soft=1.0))}
    assert "compression.d.teacher=<id" in missing_requirements({"d": Distil(phases=phases)}, has_encoder=True)[0]
    assert missing_requirements({"d": Distil(phases=phases, teacher="some/run")}, has_encoder=False) == []
    refused = missing_requirements({"m": Magnitude()}, has_encoder=False)
    assert "model=dsn has none" in refused[0] and "compression.m.matrices=*word_embeddings" in refused[0]
    assert missing_requirements({"m": Magnitude(matrices="*word_embeddings")}, has_encoder=False) == []


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


def test_a_schedule_that_ends_before_it_begins_and_scores_without_training_are_refused() -> None:
    assert "is later than compression.m.end" in Magnitude(start=0.5, end=0.2).contradictions("m")[0]
    assert "scores start at 0" in Movement(start=0.0).contradictions("m")[0]
    assert "only training closes gates" in L0(epochs=0.0).contradictions("l")[0]


def test_all_that_a_taught_stage_may_be_given_is_declared_where_others_read_it() -> None:
    declared = {one.name for one in fields(TaughtSettings)}
    assert {"teacher", "tokens", "teacher_length", "unlabelled", "unlabelled_rows", "augment"} <= declared
