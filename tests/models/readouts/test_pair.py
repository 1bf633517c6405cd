"""The readout of two texts: its four parts by hand, which text a word belongs to, and that it is saved and rounded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import models.backbones.bag_of_words
from models.backbones.dropout import dropout_generator
from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.compression import settings
from models.compression.quantization.coded import CodedWeight
from models.compression.weight_only import WeightOnly
from models.errors import ModelError
from models.onnx.graph import OnnxModel, write_onnx
from models.parts import make_readout
from tests.models.compression.row_context import applied
from tests.models.helpers import batch, fake_tokenizer, small

PLAIN: dict[str, Any] = {"name": "pair", "norm": "none", "size": None, "dropout": 0.0}
NARROW = PLAIN | {"norm": "layer", "size": 6, "dropout": 0.3}


def dsn(readout: dict[str, Any], **changes: Any) -> Any:
    return small(family="dsn", readout=readout, initializer_range=0.5, **changes)


def test_the_four_parts_are_those_worked_out_by_hand() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, -1.0], [9.0, 9.0]]])
    found = make_readout(PLAIN, 2, 0)(hidden, torch.tensor([[1, 1, 1, 0]]), torch.tensor([[0, 0, 1, 1]]))
    assert found.tolist() == [[2, 3, 5, -1, 3, 4, 10, -3]]  # u = (2, 3), v = (5, -1); the padding belongs to neither


def test_a_text_without_tokens_has_the_mean_zero() -> None:
    hidden, readout = torch.tensor([[[1.0, 2.0]]]), make_readout(PLAIN, 2, 0)
    assert readout(hidden, None, None).tolist() == [[1, 2, 0, 0, 1, 2, 0, 0]]
    assert readout(hidden, None, torch.ones(1, 1)).tolist() == [[0, 0, 1, 2, 1, 2, 0, 0]]


@pytest.mark.parametrize("readout", [PLAIN, NARROW])
def test_words_count_for_their_own_text_wherever_they_stand(readout: dict[str, Any]) -> None:
    model = dsn(readout, positional=False, norm="none")
    ids, segments = torch.tensor([[7, 8, 9, 5]]), torch.tensor([[0, 0, 1, 1]])
    logits = model(ids, None, segments)
    torch.testing.assert_close(model(ids[:, [1, 0, 3, 2]], None, segments), logits)
    assert (model(ids[:, [0, 2, 1, 3]], None, segments) - logits).abs().max() > 1e-3
    swapped = model.bert(ids[:, [2, 3, 0, 1]], None, segments)
    if readout is PLAIN:
        width = model.bert.embeddings.word_embeddings.weight.shape[1]
        torch.testing.assert_close(swapped[:, 2 * width :], model.bert(ids, None, segments)[:, 2 * width :])


@pytest.mark.parametrize("token_dropout", [0.0, 0.4])
@pytest.mark.parametrize("paired", [False, True])
def test_the_unpadded_way_gives_the_same_logits_and_gradients(
    paired: bool, token_dropout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(real: float) -> list[torch.Tensor]:
        monkeypatch.setattr(models.backbones.bag_of_words, "MOST_REAL", real)
        model, inputs = dsn(NARROW, dropout=0.0, token_dropout=token_dropout).train(), batch(5, 9)
        inputs["attention_mask"] = (torch.arange(9) < torch.tensor([1, 0, 9, 3, 4])[:, None]).long()  # one is empty
        dropout_generator.seed(0)
        logits = model(**(inputs if paired else inputs | {"token_type_ids": None}))
        logits.square().sum().backward()
        return [logits, *(parameter.grad for parameter in model.parameters() if parameter.grad is not None)]

    for found, expected in zip(trained(1.1), trained(0.0), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("readout", [PLAIN, NARROW])
def test_a_saved_folder_and_a_graph_give_the_same_logits(readout: dict[str, Any], tmp_path: Path) -> None:
    model, inputs = dsn(readout), batch()
    save_model(model, tmp_path / "model", tokenizer_save=fake_tokenizer, label_names=["a", "b", "c"], card="")
    expected = model(**inputs)
    torch.testing.assert_close(load_model(tmp_path / "model")(**inputs), expected, atol=0, rtol=0)
    write_onnx(model, tmp_path / "model.onnx")
    torch.testing.assert_close(OnnxModel(tmp_path / "model.onnx", 1)(**inputs), expected, atol=1e-5, rtol=1e-5)


def test_its_hidden_layer_is_rounded_with_the_rest() -> None:
    model = dsn(NARROW)
    rounded, _ = applied(WeightOnly(settings.WeightOnly(bits=8)), model)
    assert isinstance(rounded.get_submodule("bert.pooler.narrow"), CodedWeight)


@pytest.mark.parametrize("wrong", [{"norm": "batch"}, {"size": 0}, {"dropout": 1.0}])
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=f"model.readout.{next(iter(wrong))}="):
        make_readout(PLAIN | wrong, 2, 0)
