"""Lengths are set in a network, noted in its config.json, and refused where no layer can drop tokens."""

from __future__ import annotations

import pytest
import torch

from models.backbones.attention import SelfAttention
from models.backbones.lengths import Lengths
from models.compression.lengths.chosen import check_model, keep_choices, lengths_of, set_lengths
from models.compression.structured.blocks import EmptySublayer
from models.errors import ModelError
from tests.models.helpers import batch, small

HALF = Lengths((0.5, 0.5))


def test_lengths_are_set_and_noted_beside_the_choices_and_other_stages() -> None:
    model, whole = small(), {"lengths": None, "share": 1.0}
    set_lengths(model, None)
    assert "compressed" not in model.architecture and lengths_of(model) is None
    plain = model(**batch())
    set_lengths(model, HALF)
    assert not torch.equal(model(**batch()), plain)
    model.architecture["compressed"].append({"method": "weight_only"})
    keep_choices(model, [whole, {"lengths": [0.5, 0.5], "share": 0.6}])
    assert lengths_of(model) is None and torch.equal(model(**batch()), plain)
    set_lengths(model, HALF)
    own, other = model.architecture["compressed"]
    assert own["choices"] == [{"lengths": [0.5, 0.5], "share": 0.6}, whole] and other == {"method": "weight_only"}
    assert (own["mode"], own["lengths"]) == ("ratio", [0.5, 0.5])
    set_lengths(model, None)
    own = model.architecture["compressed"][0]
    assert own["lengths"] is None and own["choices"] and torch.equal(model(**batch()), plain)


def test_choices_in_another_mode_do_not_outlive_it() -> None:
    model = small()
    keep_choices(model, [{"lengths": [0.5, 0.5], "share": 0.6}])
    set_lengths(model, Lengths((20, 10), "absolute"))
    own = model.architecture["compressed"][0]
    assert (own["mode"], own["lengths"], own["choices"]) == ("absolute", [20, 10], [])


def test_an_architecture_that_others_hold_is_left_as_it_was() -> None:
    model = small()
    set_lengths(model, HALF)
    held = model.architecture["compressed"]
    set_lengths(model, None)
    assert held[0]["lengths"] == [0.5, 0.5]


def test_models_without_layers_that_drop_tokens_are_refused() -> None:
    with pytest.raises(ModelError, match="lengths are for the layers of our own BERTs only"):
        set_lengths(small(family="dsn", readout={"name": "mean"}), HALF)
    with pytest.raises(ModelError, match="lengths are for the layers of our own BERTs only"):
        check_model(torch.nn.Linear(2, 2))
    with pytest.raises(ModelError, match="model/readout=parasite reads every token in every layer"):
        check_model(small(readout={"name": "parasite", "size": 4, "reach": 1, "length": 32}))
    model = small()
    assert isinstance(model.bert.encoder.layer[1].attention.self, SelfAttention)
    model.bert.encoder.layer[1].attention.self = EmptySublayer()
    check_model(model)
    model.bert.encoder.layer[0].attention.self = EmptySublayer()
    with pytest.raises(ModelError, match="no layer has a head left"):
        check_model(model)
    with pytest.raises(ModelError, match="3 values for 2 layers"):
        set_lengths(small(), Lengths((1.0, 1.0, 1.0)))
    assert lengths_of(small(family="dsn", readout={"name": "mean"})) is None
