"""Fewer heads and neurons, and empty sublayers: equal to zeroed columns on every path, saved and opened again."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from models.backbones import attention
from models.backbones.hooks import Recorder, State, Wanted
from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.compression.structured.blocks import ATTENTION, FFN, BiasOnly, group_of, linear_of
from models.compression.structured.layer_widths import cut_sublayer, layer_of, record_widths, sublayers, widths
from models.compression.structured.optimal_brain_surgeon import group_columns
from models.errors import ModelError
from tests.models.helpers import batch, count, fake_tokenizer, small

KEPT: dict[tuple[int, str], list[int]] = {
    (0, ATTENTION): [1, 3], (0, FFN): [0, 7, 8, 40], (1, ATTENTION): [], (1, FFN): list(range(48)),
    (2, ATTENTION): [0, 1, 2, 3], (2, FFN): [], (3, ATTENTION): [2], (3, FFN): [5],
}  # fmt: skip


def write(model: Any, folder: Path) -> None:
    save_model(model, folder, tokenizer_save=fake_tokenizer, label_names=["a", "b", "c"], card="")


@pytest.fixture(params=["fused", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to compute attention, whatever the length."""
    shortest = 0 if request.param == "fused" else 10**6
    monkeypatch.setattr(attention, "FUSED_FROM", dict.fromkeys(attention.FUSED_FROM, shortest))
    return str(request.param)


def pair(**changes: Any) -> tuple[Any, Any]:
    """A model with zeroed columns, and the same one cut; biases drawn, so that a forgotten one shows."""
    masked = small(layers=4, initializer_range=0.2, **changes)
    with torch.no_grad():
        for parameter in masked.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    shrunk = copy.deepcopy(masked)
    for sublayer in sublayers(masked):
        one, other = layer_of(masked, sublayer), layer_of(shrunk, sublayer)
        dense, kept = linear_of(one, sublayer.part), KEPT[sublayer]
        places = group_columns(kept, group_of(one, sublayer.part))
        weight = dense.weight[:, places].detach().clone()
        with torch.no_grad():
            dense.weight.mul_(torch.zeros(dense.in_features).index_fill_(0, places, 1.0))
        cut_sublayer(other, sublayer.part, kept, weight, dense.bias)
    record_widths(shrunk)
    return masked, shrunk


@pytest.mark.parametrize("readout", ["cls", "mean"])
def test_zeroed_columns_and_a_smaller_model_give_the_same_logits(way: str, readout: str) -> None:
    masked, shrunk = pair(readout={"name": readout})
    assert widths(shrunk) == [[2, 4], [0, 48], [4, 0], [1, 1]]
    for inputs in (batch(), batch(1, 1), batch(3, 33)):
        torch.testing.assert_close(shrunk(**inputs), masked(**inputs), atol=1e-5, rtol=0)
    unpadded = {name: value for name, value in batch(2, 9).items() if name != "attention_mask"}
    torch.testing.assert_close(shrunk(**unpadded), masked(**unpadded), atol=1e-5, rtol=0)


def test_the_short_paths_of_the_encoder_stay_right(way: str) -> None:
    masked, shrunk = pair()
    for last in (0, 1, 2, 3):  # each kind of layer once as the last: with fewer heads, without, without neurons
        inputs, found = batch(), []
        for model in (masked, shrunk):
            part = copy.deepcopy(model.bert.encoder)
            part.layer = part.layer[: last + 1]
            bias = attention.padding_bias(inputs["attention_mask"], torch.float32)
            state = State(model.bert.embeddings(inputs["input_ids"]), bias)
            whole = part(state).hidden
            some = part(state, only=Wanted(places=torch.tensor([0, 5, 18]))).hidden
            first = part(state, only=Wanted(first=2)).hidden
            torch.testing.assert_close(first, whole[:, :2], atol=1e-5, rtol=0)
            torch.testing.assert_close(some, whole.flatten(0, 1)[[0, 5, 18]], atol=1e-5, rtol=0)
            found.append(whole)
        torch.testing.assert_close(found[1], found[0], atol=1e-5, rtol=0)


def test_kept_states_and_gradients_of_a_smaller_model_are_those_of_the_zeroed_one() -> None:
    masked, shrunk = pair()
    recorders = Recorder(), Recorder()
    for model, recorder in zip((masked, shrunk), recorders):
        model.bert(**batch(), hooks=[recorder])[0].square().sum().backward()
    for ours, theirs in zip(*(recorder.states for recorder in recorders), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    for model in (masked, shrunk):
        model.zero_grad()
        model.train()  # dropout too goes through sublayers that are gone
        model(**batch()).sum().backward()
    rest = shrunk.bert.encoder.layer[1].attention.output.dense
    assert isinstance(rest, BiasOnly) and rest.bias.grad is not None and rest.bias.grad.abs().sum() > 0


def test_the_parameters_of_each_layer_follow_the_formula() -> None:
    _, shrunk = pair()
    for layer, (heads, neurons) in zip(shrunk.bert.encoder.layer, widths(shrunk), strict=True):
        attention = 4 * 32 * 8 * heads + 3 * 8 * heads + 32
        assert count(layer) == attention + 2 * 32 * neurons + neurons + 32 + 2 * 64


def test_a_smaller_model_is_saved_and_opened_as_it_is(tmp_path: Path) -> None:
    _, shrunk = pair()
    write(shrunk, tmp_path / "m")
    opened = load_model(tmp_path / "m")
    assert widths(opened) == widths(shrunk) and opened.architecture["compressed"] == shrunk.architecture["compressed"]
    assert torch.equal(opened(**batch()), shrunk(**batch()))
    write(opened, tmp_path / "n")
    assert torch.equal(load_model(tmp_path / "n")(**batch()), shrunk(**batch())), "and once more"


def test_a_layer_may_keep_more_neurons_than_a_model_may_have_layers(tmp_path: Path) -> None:
    model = small(intermediate=1536)
    layer = model.bert.encoder.layer[0]
    cut_sublayer(layer, FFN, list(range(1024)), layer.output.dense.weight[:, :1024], layer.output.dense.bias)
    record_widths(model)
    write(model, tmp_path / "m")
    assert widths(load_model(tmp_path / "m"))[0][1] == 1024


def test_a_second_cut_replaces_the_description_of_the_first() -> None:
    _, shrunk = pair()
    shrunk.architecture["compressed"].insert(0, {"method": "dendrites"})
    layer = shrunk.bert.encoder.layer[0]
    cut_sublayer(layer, ATTENTION, [0], layer.attention.output.dense.weight[:, :8], layer.attention.output.dense.bias)
    record_widths(shrunk)
    assert [entry["method"] for entry in shrunk.architecture["compressed"]] == ["dendrites", "ziplm"]
    assert shrunk.architecture["compressed"][1]["layers"][0] == [1, 4]


def test_a_model_without_an_encoder_of_ours_is_refused() -> None:
    with pytest.raises(ModelError, match="this model has no blocks"):
        sublayers(small(family="dsn", readout={"name": "mean"}))
