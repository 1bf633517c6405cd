"""The formula of dendrites, their parameters, their targets, and dendrites in a saved model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from models.build import build
from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.compression.dendrite.module import (
    Dendrite,
    add_dendrites,
    attach_dendrites,
    detach_dendrites,
    linear_names,
)
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.compression.dendrite.layers import head
from tests.models.compression.tensor_context import started


def test_a_dendrite_is_the_sum_that_its_definition_says() -> None:
    module, x = head(3), torch.randn(5, 16).double()
    first, second, third = module.dendrites
    d1 = torch.sigmoid(first.linear(x))
    d2 = torch.sigmoid(second.linear(x) + second.lateral[0] * d1)
    d3 = torch.sigmoid(third.linear(x) + third.lateral[0] * d1 + third.lateral[1] * d2)
    expected = module.soma(x) + first.to_soma * d1 + second.to_soma * d2 + third.to_soma * d3
    torch.testing.assert_close(module(x), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("count", "added"), [(1, 36), (2, 74), (3, 114), (4, 156), (5, 200)])
def test_dendrites_add_exactly_the_parameters_of_their_definition(count: int, added: int) -> None:
    module = head(count)
    plain = sum(p.numel() for p in module.soma.parameters())
    assert sum(p.numel() for p in module.parameters()) - plain == added


def test_a_new_dendrite_leaves_outputs_bit_for_bit_as_they_were() -> None:
    for count in range(3):
        module, x = head(count).float(), torch.randn(7, 16)
        before = module(x)
        module.dendrites.append(Dendrite(module.soma, count, "sigmoid"))
        assert torch.equal(module(x), before)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_saved_model_comes_back_with_its_dendrites(count: int, tmp_path: Path) -> None:
    settings = ModelSettings(name="dsn", family="dsn", readout={"name": "mean"}, hidden=8, width=1.0, positions=16)
    torch.manual_seed(0)
    model, _ = build(settings, head=HeadSpec(outputs=2), vocab_size=50)
    ids = torch.randint(5, 50, (4, 6))
    if count:
        add_dendrites(attach_dendrites(model, ["classifier"]), count, "tanh")
        for parameter in model.parameters():
            nn.init.normal_(parameter)
        description = {"method": "dendrites", "modules": ["classifier"], "count": count, "act": "tanh"}
        model.architecture["compressed"] = [description]
    names = ["a", "b"]
    save_model(model, tmp_path / "model", tokenizer_save=lambda _: None, label_names=names, card="")
    torch.testing.assert_close(load_model(tmp_path / "model")(ids), model.eval()(ids), rtol=0, atol=0)


def test_a_model_with_dendrites_is_exported_as_it_is() -> None:
    module, x = head(5).float().eval(), torch.randn(3, 16)
    program = torch.export.export(module, (x,))
    torch.testing.assert_close(program.module()(x), module(x))
    assert not module._forward_hooks


def test_targets_name_linear_layers_or_blocks_of_them_and_nothing_else() -> None:
    settings = ModelSettings(name="bert-tiny", layers=2, hidden=8, heads=2, positions=16)
    model, _ = build(settings, head=HeadSpec(outputs=2), vocab_size=50)
    assert linear_names(model, ["classifier"]) == ["classifier"]
    assert linear_names(model, ["bert.encoder.layer.*.output.dense"]) == [
        "bert.encoder.layer.0.output.dense", "bert.encoder.layer.1.output.dense",
    ]  # fmt: skip
    block = linear_names(model, ["bert.encoder.layer.1"])
    assert len(block) == 6 and all(name.startswith("bert.encoder.layer.1.") for name in block)
    attach_dendrites(model, ["classifier"])
    with pytest.raises(ModelError, match="classifier names Dendritic, but only a Linear"):
        linear_names(model, ["classifier"])
    with pytest.raises(ModelError, match="LayerNorm, but only a Linear"):
        linear_names(model, ["bert.embeddings.LayerNorm"])
    with pytest.raises(ModelError, match=r"head names no module.*Try: .*targets=\[classifier\]"):
        linear_names(model, ["head"])


def test_detaching_puts_the_plain_layers_back() -> None:
    model = started()
    linear = model.classifier
    add_dendrites(attach_dendrites(model, ["classifier"]), 2, "relu")
    detach_dendrites(model, ["classifier"])
    assert model.classifier is linear
