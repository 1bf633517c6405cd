"""First word vectors of a static model, from a table and from an encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from data.inputs.tokenizer import train_tokenizer
from models.build import build
from models.checkpoints.cut import Cut
from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.helpers import fake_tokenizer, stock

TABLE = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


def static(vocab_size: int, pad_id: int, *, more: dict[str, Any] | None = None, **changes: Any) -> Any:
    fixed: dict[str, Any] = {"name": "static", "family": "dsn", "positional": False, "norm": "none"}
    settings = ModelSettings(**(fixed | {"readout": {"name": "mean"}} | changes))
    torch.manual_seed(0)
    model, weights = build(settings, HeadSpec(outputs=2), vocab_size=vocab_size, pad_id=pad_id, **(more or {}))
    return model.eval(), weights


@pytest.fixture
def table(tmp_path: Path) -> str:
    save_file({"embeddings": TABLE}, tmp_path / "model.safetensors")
    return str(tmp_path)


def test_published_vectors_are_averaged_as_they_are(table: str, tmp_path: Path) -> None:
    model, weights = static(7, 6, pretrained=table)
    ids, mask = torch.tensor([[1, 2, 6]]), torch.tensor([[1, 1, 0]])
    torch.testing.assert_close(model.encode(ids, mask)[0], TABLE[1:3].mean(0))
    assert not model.encode(torch.tensor([[6]])).any(), "a text without tokens"
    assert weights.source == table and "bert.embeddings.word_embeddings.weight" in weights.loaded
    folder = tmp_path / "saved"
    save_model(model, folder, tokenizer_save=fake_tokenizer, label_names=["a", "b"], card="")
    again = load_model(folder)
    assert torch.equal(again(ids, mask), model(ids, mask)) and model.state_dict().keys() == again.state_dict().keys()


def test_the_first_columns_and_the_kept_rows_of_a_table(table: str) -> None:
    model, _ = static(7, 6, pretrained=table, dims=2)
    torch.testing.assert_close(model.bert.embeddings.word_embeddings.weight[:6], TABLE[:, :2])
    model, _ = static(4, 3, pretrained=table, more={"cut": Cut(np.array([0, 2, 5]), 512)})
    torch.testing.assert_close(model.bert.embeddings.word_embeddings.weight[:3], TABLE[[0, 2, 5]])
    with pytest.raises(ModelError, match="the tokenizer has 9 tokens"):
        static(9, 0, pretrained=table)


def test_sif_weighs_frequent_tokens_down(table: str) -> None:
    counts = [0, 1, 999, 0, 0, 0, 0]
    model, _ = static(7, 6, pretrained=table, word_weights="sif", more={"counts": lambda: counts})
    found = model.bert.embeddings.word_embeddings.weight
    torch.testing.assert_close(found[0], TABLE[0])
    torch.testing.assert_close(found[1], TABLE[1] / 2)
    torch.testing.assert_close(found[2], TABLE[2] * 0.001 / 1.0)


@pytest.mark.parametrize("init", ["input", "output", "inner"])
def test_an_encoder_gives_centred_principal_columns_to_a_new_vocabulary(init: str, tmp_path: Path) -> None:
    own = train_tokenizer(["a fine film", "a dull film"] * 9, 64)
    stock(vocab_size=own.vocab_size).save_pretrained(tmp_path)
    own.save(tmp_path)
    tokens = ["[PAD]", "[UNK]", "film", "fine", "dull", "finefilm", "##lm", "a"]
    chosen: dict[str, Any] = {"init": init, "init_from": str(tmp_path), "tokenizer": "train", "dims": 3}
    model, weights = static(8, 0, more={"tokens": lambda: tokens}, **chosen)
    found = model.bert.embeddings.word_embeddings.weight.detach()
    assert not found[:2].any() and found[2:].abs().sum(1).min() > 0
    torch.testing.assert_close(found[2:].mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    spread = found[2:].var(0)
    assert torch.equal(spread, spread.sort(descending=True).values)
    again, same = static(8, 0, more={"tokens": lambda: tokens}, **chosen)
    assert torch.equal(again.bert.embeddings.word_embeddings.weight, found) and same.fingerprint == weights.fingerprint
    with pytest.raises(ModelError, match=r"needs 7 directions of them. Try: model.dims=6"):
        static(8, 0, more={"tokens": lambda: tokens}, **(chosen | {"dims": 7}))


def test_vectors_from_an_encoder_are_named_after_its_tokenizer_too(tmp_path: Path) -> None:
    # The same weights give a word other vectors where it is spelled with other pieces.
    first, second = (train_tokenizer([text] * 9, 64) for text in ("a fine film", "film a fine dull"))
    size, found = max(first.vocab_size, second.vocab_size), []
    for own in (first, second):
        stock(vocab_size=size).save_pretrained(tmp_path)
        own.save(tmp_path)
        chosen: dict[str, Any] = {"init": "input", "init_from": str(tmp_path), "tokenizer": "train", "dims": 2}
        found.append(
            static(5, 0, more={"tokens": lambda: ["[PAD]", "film", "fine", "a", "i"]}, **chosen)[1].fingerprint
        )
    assert found[0] != found[1]
