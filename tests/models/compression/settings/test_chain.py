"""Every method has settings, a module and a preset; stages in a wrong order or without what they need are refused."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from models.compression.settings import METHODS
from models.compression.settings.chain import RANK, missing_requirements, out_of_order, wrong_starts
from models.compression.settings.learn import Dendrites, Distil, DistilLosses, DistilPhase
from models.compression.settings.length import Length, LengthTraining
from models.compression.settings.pruning import Magnitude, Movement, Ziplm
from models.compression.settings.quantization import Bf16, Pq, Splitquant, WeightOnly


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_module_of_its_name_and_a_kind(method: str) -> None:
    settings = METHODS[method]
    assert settings().method == method and settings.phase in RANK
    assert find_spec(f"models.compression.{method}")


def test_what_learns_comes_before_what_prunes_and_that_before_what_quantizes() -> None:
    assert out_of_order({"a": Distil(), "b": Magnitude(), "c": WeightOnly()}) == []
    assert "Try: 'compression=[b,c]'" in out_of_order({"c": WeightOnly(), "b": Magnitude()})[0]
    assert "both quantize the same weights" in out_of_order({"c": WeightOnly(), "d": Bf16()})[0]


def test_a_distillation_may_follow_a_pruning_as_it_keeps_the_zeros() -> None:
    assert out_of_order({"b": Magnitude(), "a": Distil()}) == []


def test_a_distillation_after_lengths_is_refused_as_their_scores_are_of_other_weights() -> None:
    (line,) = out_of_order({"l": Length(), "a": Distil()})
    assert "a after l would undo its choice of lengths" in line and "Try: 'compression=[a,l]'" in line


def test_a_search_for_lengths_may_follow_a_quantization_but_their_training_may_not() -> None:
    search, training = Length(train=LengthTraining(epochs=0)), Length()
    assert out_of_order({"q": WeightOnly(), "l": search}) == []
    assert "l after q would undo its quantized weights" in out_of_order({"q": WeightOnly(), "l": training})[0]


def test_ziplm_after_masks_is_refused_because_it_refits_weights() -> None:
    (line,) = out_of_order({"m": Magnitude(), "z": Ziplm(), "q": WeightOnly()})
    assert "z after m would undo its zeros" in line and "Try: 'compression=[z,m,q]'" in line
    assert out_of_order({"z": Ziplm(), "m": Magnitude(), "q": WeightOnly()}) == []


def test_a_pruning_from_first_weights_gets_no_trained_model() -> None:
    first = Magnitude(starts="pretrained")
    assert wrong_starts({"m": first, "c": WeightOnly()}, is_finished=False) == []
    assert "from= gives a trained model" in wrong_starts({"m": first}, is_finished=True)[0]
    assert "d trains it first" in wrong_starts({"d": Distil(), "m": first}, is_finished=False)[0]
    assert wrong_starts({"d": Distil(), "m": Magnitude()}, is_finished=True) == []


def test_a_pruning_that_keeps_more_than_an_earlier_one_left_is_refused() -> None:
    first, table = Magnitude(density=0.2), Magnitude(density=0.5, matrices="*word_embeddings")
    (line,) = missing_requirements({"m": first, "n": Movement(density=0.6)}, has_encoder=True)
    assert "compression=[m,n]: density=0.6 would remove nothing, as m leaves 0.2 of the same weights" in line
    assert "Try: compression.n.density=0.1" in line
    for later in (Magnitude(density=0.2), Magnitude(density=0.1), Magnitude(density=1.0), Movement(form="soft"), table):
        assert not missing_requirements({"m": first, "n": later}, has_encoder=True)


def test_a_stage_without_its_teacher_or_its_encoder_is_refused_with_the_cure() -> None:
    phases = {"task": DistilPhase(DistilLosses(soft=1.0))}
    assert "compression.d.teacher=<id" in missing_requirements({"d": Distil(phases=phases)}, has_encoder=True)[0]
    assert missing_requirements({"d": Distil(phases=phases, teacher="some/run")}, has_encoder=False) == []
    refused = missing_requirements({"m": Magnitude()}, has_encoder=False)
    assert "model=dsn has none" in refused[0] and "compression.m.matrices=*word_embeddings" in refused[0]
    assert missing_requirements({"m": Magnitude(matrices="*word_embeddings")}, has_encoder=False) == []


def test_levels_without_a_zero_after_a_pruning_are_refused() -> None:
    stages = {"magnitude": METHODS["magnitude"](), "compact": WeightOnly(scheme="even")}
    (line,) = missing_requirements(stages, has_encoder=True)
    assert line.endswith("Try: compression.compact.scheme=symmetric")  # most presets have no key for that of tables
    stages["compact"] = WeightOnly(scheme="even", embedding_scheme="even")
    (line,) = missing_requirements(stages, has_encoder=True)
    assert line.endswith("Try: compression.compact.scheme=symmetric compression.compact.embedding_scheme=affine")
    stages["compact"] = WeightOnly(embeddings=False, embedding_scheme="even")
    assert not missing_requirements(stages, has_encoder=True)
    assert not missing_requirements({"magnitude": stages["magnitude"], "int4": WeightOnly()}, has_encoder=True)
    assert not missing_requirements({"compact": WeightOnly(scheme="even")}, has_encoder=True)


@pytest.mark.parametrize("target", ["bert.encoder.layer.*.output.dense", "bert", "*", "bert.backbone.*"])
def test_dendrites_inside_the_encoder_before_ziplm_are_refused(target: str) -> None:
    (line,) = out_of_order({"d": Dendrites(targets=[target]), "z": Ziplm()})
    assert line.endswith("d adds dendrites inside the encoder. Try: 'compression.d.targets=[classifier]'")


@pytest.mark.parametrize("options", [{}, {"targets": ["bert.pooler.dense"]}, {"targets": ["bert"], "mode": "base"}])
def test_other_dendrites_may_come_before_ziplm(options: dict[str, Any]) -> None:
    assert out_of_order({"d": Dendrites(**options), "z": Ziplm()}) == []


def test_codes_that_lose_the_zeros_of_a_pruning_are_refused() -> None:
    (line,) = missing_requirements({"m": Magnitude(), "s": Splitquant(form="packed")}, has_encoder=True)
    assert line.startswith("compression=[m,s]: the ranges of form=packed") and "Try: compression.s.form=dense" in line
    (line,) = missing_requirements({"m": Magnitude(matrices="*word_embeddings"), "p": Pq()}, has_encoder=True)
    assert "zeros in a table. Try: 'compression=[m,int8]'" in line
    for fits in (Splitquant(), Splitquant(form="whole"), Pq()):
        assert missing_requirements({"m": Magnitude(), "s": fits}, has_encoder=True) == []
    assert missing_requirements({"s": Splitquant(form="packed")}, has_encoder=True) == []
