"""A method is found by its name, and a saved model gets back the structure that its stages gave it."""

from __future__ import annotations

import pytest

from models.compression.dendrite.module import Dendritic
from models.compression.methods import is_quantized, make_stage, restore_stages
from models.compression.quantization.coded import CodedLinear
from models.compression.settings import METHODS
from models.errors import ModelError
from tests.models.helpers import small


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_stage_that_has_its_settings_and_its_name(method: str) -> None:
    options = METHODS[method]()
    stage = make_stage(options, "mine")
    assert stage.options is options and stage.name == "mine"
    assert make_stage(options).name == method


def test_only_a_quantized_model_counts_as_quantized() -> None:
    assert not is_quantized({}) and not is_quantized({"compressed": [{"method": "ziplm"}, {"method": "gone"}]})
    assert is_quantized({"compressed": [{"method": "ziplm"}, {"method": "bf16"}]})


def test_stages_are_restored_in_their_order_and_noted() -> None:
    entries = [
        {"method": "dendrites", "modules": ["classifier"], "count": 1, "act": "tanh"},
        {"method": "weight_only", "bits": 4, "head": False},
    ]
    model = restore_stages(small(), {"compressed": entries, "pruned": ["bert.encoder.layer.0.output.dense"]})
    assert isinstance(model.classifier, Dendritic)
    assert isinstance(model.get_submodule("bert.encoder.layer.0.output.dense"), CodedLinear)
    assert model.architecture["compressed"] == entries
    assert model.architecture["pruned"] == ["bert.encoder.layer.0.output.dense"]


def test_a_method_that_does_not_exist_is_refused_and_never_imported() -> None:
    with pytest.raises(ModelError, match=r"'os\.path', which is not a known method"):
        restore_stages(small(), {"compressed": [{"method": "os.path"}]})
