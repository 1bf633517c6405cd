"""A Bi-LSTM: padding never changes an answer, all parts of the repository take it, and bad configs are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.export import ExportedProgram

from models.backbones.bilstm import backward_places
from models.checkpoints.open import load_model
from models.errors import ModelError
from models.onnx.graph import OnnxModel, write_onnx
from models.rebuild import rebuild
from runner.measure.macs import count_macs
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, small, tagger

SHAPE: dict[str, Any] = {
    "family": "bilstm", "backbone": "bilstm", "hidden": 16, "dims": 8, "positional": False, "norm": "none",
    "readout": {"name": "max"},
}  # fmt: skip


def test_backward_places_reverse_real_tokens_and_leave_padding() -> None:
    places = backward_places(torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]]))
    assert places.tolist() == [[2, 1, 0, 3], [3, 2, 1, 0], [0, 1, 2, 3]]


@pytest.mark.parametrize("readout", ["max", "mean", "sqrt"])
def test_padding_never_changes_an_answer(readout: str) -> None:
    model = small(**SHAPE | {"readout": {"name": readout}})
    inputs = batch(6)
    together = model(**inputs)
    for row, length in enumerate(inputs["attention_mask"].sum(1).tolist()):
        alone = {name: values[row : row + 1, :length] for name, values in inputs.items()}
        torch.testing.assert_close(model(**alone), together[row : row + 1])
        torch.testing.assert_close(model(**alone | {"attention_mask": None}), together[row : row + 1])


def test_every_state_has_seen_the_whole_text() -> None:
    """Unlike the first position of a reversed reading alone: each state changes with the first and the last word."""
    model = tagger(**SHAPE | {"readout": {"name": "none"}, "layers": 1})
    ids = torch.arange(1, 10).unsqueeze(0)
    for place in (0, 8):
        other = ids.clone()
        other[0, place] = 50
        assert ((model(ids) - model(other)).abs().sum(-1) > 0).all()


def test_a_saved_model_gives_the_same_answers_and_so_does_its_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExportedProgram, "run_decompositions", lambda *_: pytest.fail("traced again, for seconds"))
    model, inputs = small(**SHAPE), batch(6)
    folder = write(model, tmp_path / "m")
    again = load_model(folder)
    assert torch.equal(again(**inputs), model(**inputs))
    write_onnx(model, tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", threads=1)
    for given in (inputs, batch(1, 30, seed=3)):
        torch.testing.assert_close(graph(**given), model(**given), atol=1e-5, rtol=1e-5)


def test_its_multiply_adds_are_counted() -> None:
    ids = torch.ones(1, 10, dtype=torch.int64)
    layers = 2 * 4 * 8 * (8 + 8) + 2 * 4 * 8 * (16 + 8)  # directions x gates x width x (inputs + width)
    assert count_macs(small(**SHAPE), {"input_ids": ids}) == 10 * layers + 16 * 3


def test_a_frozen_encoder_learns_nothing_below_the_head() -> None:
    model = small(**SHAPE | {"freeze": "encoder"})
    assert {name for name, p in model.named_parameters() if p.requires_grad} == {"classifier.weight", "classifier.bias"}


def test_a_readout_without_meaning_an_odd_width_and_weights_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ModelError, match=r"model/backbone=bilstm has none with attention"):
        small(**SHAPE | {"readout": {"name": "cls"}})
    with pytest.raises(ModelError, match=r"model.hidden=15 cannot be split into two directions. Try: model.hidden=16"):
        small(**SHAPE | {"hidden": 15})
    with pytest.raises(ModelError, match="there are no weights for model="):
        small(**SHAPE | {"pretrained": "some/model"})


@pytest.mark.parametrize("shape", [{"layers": 10**9, "words": 8}, {"layers": 1}, "deep", {"layers": 1, "words": 10**9}])
def test_a_config_that_describes_no_network_is_refused_before_memory_is_taken(shape: object) -> None:
    model = small(**SHAPE)
    with pytest.raises(ModelError, match="does not describe a Bi-LSTM"):
        rebuild(model.architecture | {"bilstm": shape}, model.spec)
