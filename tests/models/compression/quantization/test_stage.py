"""The stage of a quantization: which layers it replaces, how it is restored, and the error that it records."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from models.compression.dendrite.module import add_dendrites, attach_dendrites
from models.compression.quantization.coded import CodedLinear, CodedTable, coded_weights
from models.compression.quantization.stage import quantization_error
from models.compression.settings.quantization import WeightOnly as Options
from models.compression.weight_only import WeightOnly, restore
from tests.models.compression.row_context import answers, applied
from tests.models.helpers import small


def test_linear_layers_and_tables_are_replaced_and_the_head_and_the_tables_only_if_asked() -> None:
    model, _ = applied(WeightOnly(Options()), small())
    assert isinstance(model.classifier, CodedLinear)
    assert isinstance(model.bert.embeddings.word_embeddings, CodedTable)
    model, _ = applied(WeightOnly(Options(embeddings=False, head=False)), small())
    assert type(model.classifier) is nn.Linear
    assert type(model.bert.embeddings.word_embeddings) is nn.Embedding


def test_subclasses_of_linear_layers_are_left_to_the_code_that_knows_them() -> None:
    class Own(nn.Linear):
        pass

    model = small()
    model.classifier = Own(32, 3)
    WeightOnly(Options()).replace_layers(model)
    assert type(model.classifier) is Own


def test_a_restored_model_takes_the_codes_of_the_saved_one() -> None:
    saved, _ = applied(WeightOnly(Options(bits=4)), small())
    (entry,) = saved.architecture["compressed"]
    assert "description" not in entry and entry["method"] == "weight_only"
    fresh: Any = restore(small(seed=1), entry)
    fresh.load_state_dict(saved.state_dict())
    assert torch.equal(answers(fresh.eval()), answers(saved))


def test_the_error_is_that_of_the_decoded_weights_and_bits_count_scales() -> None:
    model = small()
    before = copy.deepcopy(model)
    stage = WeightOnly(Options(bits=8, per="tensor", embeddings=False))
    replaced = stage.replace_layers(model)
    for name, (layer, made) in replaced.items():
        stage.fill(name, layer, made)
    found = quantization_error(model, replaced)
    old = torch.cat([before.get_submodule(name).weight.flatten() for name in replaced]).detach()  # type: ignore[arg-type]
    new = torch.cat([made.decoded_weight().flatten() for _, made in replaced.values()])
    assert found["quantize/weight_mse"] == pytest.approx(float((new - old).double().square().mean()), rel=1e-6)
    steps = 32 * len(replaced)  # one float32 step for each tensor
    assert found["quantize/bits_per_weight"] == pytest.approx(8 + steps / old.numel())
    assert found["quantize/layers"] == len(replaced) == len(coded_weights(model))


def test_a_head_with_dendrites_is_left_with_them_if_the_head_is_not_asked_for() -> None:
    model = small()
    add_dendrites(attach_dendrites(model, ["classifier"]), 1, "tanh")
    WeightOnly(Options(head=False)).replace_layers(model)
    assert not list(coded_weights(model.classifier)) and list(coded_weights(model.bert))


def test_a_model_most_of_which_is_not_quantized_says_so() -> None:
    recurrent = small(family="bilstm", layers=1, readout={"name": "mean"})
    _, found = applied(WeightOnly(Options()), recurrent)
    share = found.facts["quantize/params_share"]
    assert (
        f"these are {share:.0%} of the model's parameters; the others are not quantized" in found.said and share < 0.5
    )
    assert not any("not quantized" in line for line in applied(WeightOnly(Options()), small())[1].said)
