"""The vectors that an encoder has for the tokens of a vocabulary, its own or another."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE, WordLevel, WordPiece
from tokenizers.pre_tokenizers import ByteLevel
from transformers import AutoModel

from data.inputs.tokenizer import train_tokenizer
from models.build import build
from models.checkpoints.encoder_vectors import encoder_tokenizer, encoder_vectors, spell
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.families import config_of
from tests.models.helpers import stock

TOKENS = ["[PAD]", "film", "filmdull", "##ilm", "[unused3]", "dull"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small BERT with a tokenizer of a few words."""
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = train_tokenizer(["a fine film", "a dull film"] * 9, 64)
    stock(vocab_size=tokenizer.vocab_size).save_pretrained(folder)
    tokenizer.save(folder)
    return str(folder)


def opened(source: str) -> tuple[Any, Any]:
    settings = ModelSettings(name="auto", family="auto", readout={"name": "none"}, pretrained=source)
    model, _ = build(settings, HeadSpec("token"), vocab_size=1)
    return model.eval(), Backend.from_file(f"{source}/tokenizer.json")


def test_tokens_are_spelled_by_their_own_id_or_by_the_pieces_of_their_text(source: str) -> None:
    _, backend = opened(source)
    ids = backend.get_vocab()
    found = spell(backend, TOKENS)
    assert found[0] == found[4] == []
    assert found[1] == [ids["film"]] and found[2] == backend.encode("filmdull", add_special_tokens=False).ids
    assert len(found[2]) > 1 and found[5] == [ids["dull"]]


def test_a_word_and_a_piece_inside_one_are_told_apart_in_either_kind_of_vocabulary() -> None:
    pieces = ["<unk>", "f", "i", "l", "m", "n", "g", "fi", "lm", "film", "in", "ing", "\u0120", "\u0120film"]
    merges = [("f", "i"), ("l", "m"), ("fi", "lm"), ("\u0120", "film"), ("i", "n"), ("in", "g")]
    ids = {piece: index for index, piece in enumerate(pieces)}
    bytewise = Backend(BPE(ids, merges))
    bytewise.pre_tokenizer = ByteLevel(add_prefix_space=False)
    assert spell(bytewise, ["film", "##ing", "##film"]) == [[ids["\u0120film"]], [ids["ing"]], [ids["film"]]]
    assert spell(bytewise, ["\u0120film", "film"]) == [[ids["\u0120film"]], [ids["film"]]]
    wordpiece = Backend(WordPiece({"[UNK]": 0, "film": 1, "##film": 2, "ing": 3, "##ing": 4}, unk_token="[UNK]"))
    assert spell(wordpiece, ["\u0120film", "film", "\u0120ing", "ing"]) == [[1], [2], [3], [4]]
    assert spell(wordpiece, ["film", "##film"]) == [[1], [2]]


@pytest.mark.parametrize("unknown", ["[UNK]", "<unk>"])
def test_a_token_that_the_encoder_cannot_spell_has_no_vector(unknown: str) -> None:
    backend = Backend(WordLevel({unknown: 0, "film": 1}, unk_token=unknown))
    assert spell(backend, ["film", "\U0001f600", unknown]) == [[1], [], []]


def test_input_is_the_mean_of_rows_and_special_tokens_get_zeros(source: str) -> None:
    model, backend = opened(source)
    vectors, is_ordinary = encoder_vectors(model, encoder_tokenizer(source), TOKENS, "input")
    table = model.bert.word_vectors().weight.detach()
    expected = torch.stack([table[ids].mean(0) if ids else torch.zeros(32) for ids in spell(backend, TOKENS)])
    torch.testing.assert_close(vectors, expected)
    assert is_ordinary.tolist() == [False, True, True, True, False, True]


@pytest.mark.parametrize(("how", "inside"), [("output", slice(None)), ("inner", slice(1, -1))])
def test_output_is_the_mean_of_all_states_and_inner_of_the_tokens_own(how: str, inside: slice, source: str) -> None:
    model, backend = opened(source)
    vectors, _ = encoder_vectors(model, encoder_tokenizer(source), TOKENS, how)
    for place in (1, 2):  # of different lengths, so padded in one batch
        ids = torch.tensor([backend.encode(TOKENS[place]).ids])
        expected = model.encode(ids)[0, inside].mean(0)
        torch.testing.assert_close(vectors[place], expected, atol=1e-5, rtol=1e-5)


def test_an_encoder_without_tokenizer_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no tokenizer.json"):
        encoder_tokenizer(str(tmp_path))


@pytest.mark.parametrize(("how", "width"), [("input", 16), ("output", 32), ("inner", 32)])
def test_states_may_be_wider_than_the_word_table(how: str, width: int, source: str, tmp_path: Path) -> None:
    AutoModel.from_config(config_of("Electra", vocab_size=64)).save_pretrained(tmp_path)
    shutil.copy(f"{source}/tokenizer.json", tmp_path)
    vectors, _ = encoder_vectors(opened(str(tmp_path))[0], encoder_tokenizer(source), TOKENS, how)
    assert vectors.shape == (len(TOKENS), width) and vectors[1].any()
