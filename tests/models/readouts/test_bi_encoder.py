"""Two texts read apart: which tokens each row gets, the comparison by hand, and that it is saved and written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.onnx.graph import OnnxModel, write_onnx
from models.parts import make_readout
from models.readouts.bi_encoder import in_batches, take_apart
from tests.models.helpers import batch, fake_tokenizer, small

COSINE: dict[str, Any] = {"name": "bi_encoder", "pooling": "mean", "compare": "cosine"}
PARTS = COSINE | {"compare": "parts"}
CLS, SEP = 2, 3
IDS = torch.tensor([[CLS, 10, 11, SEP, 20, SEP], [CLS, 12, SEP, SEP, 0, 0], [CLS, SEP, 21, 22, 23, SEP]])
MASK = torch.tensor([[1] * 6, [1, 1, 1, 1, 0, 0], [1] * 6])
SEGMENTS = torch.tensor([[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 1, 1]])


def real(ids: torch.Tensor, mask: torch.Tensor) -> list[list[int]]:
    return [row[kept.bool()].tolist() for row, kept in zip(ids, mask)]


def test_each_text_gets_a_row_with_its_own_special_tokens() -> None:
    ids, mask = take_apart(IDS, MASK, SEGMENTS)
    first = [[CLS, 10, 11, SEP], [CLS, 12, SEP], [CLS, SEP]]
    second = [[CLS, 20, SEP], [CLS, SEP], [CLS, 21, 22, 23, SEP]]
    assert real(ids, mask) == first + second and ids.shape == (6, 5)
    whole = IDS[[0, 2]], None, SEGMENTS[[0, 2]]
    assert real(*take_apart(*whole)) == [first[0], first[2], second[0], second[2]]


def test_short_texts_beside_long_ones_are_a_batch_of_their_own_with_the_same_answers() -> None:
    query, document = [CLS, 10, SEP], [*range(20, 31), SEP]
    ids = torch.tensor([query + document, query + document[1:] + [0]])
    mask, segments = (ids != 0).long(), torch.tensor([[0] * 3 + [1] * 12] * 2)
    apart = take_apart(ids, mask, segments)
    assert [tuple(tokens.shape) for tokens, _ in in_batches(*apart)] == [(2, 3), (2, 13)]
    assert [row for one in in_batches(*apart) for row in real(*one)] == real(*apart)
    assert len(list(in_batches(*take_apart(IDS, MASK, SEGMENTS)))) == 1, "texts of about one length stay together"
    model = small(readout=COSINE, num_labels=1, initializer_range=0.5)
    whole = model.bert.pooler.compare(model.bert(*apart, None))
    torch.testing.assert_close(model.encode(ids, mask, segments), whole, atol=1e-6, rtol=0)


def test_a_row_without_segments_is_cut_in_the_middle() -> None:
    ids, mask = take_apart(torch.tensor([[CLS, 5, 6, 7, 8]]), None, None)
    assert real(ids, mask) == [[CLS, 5, 6], [CLS, 7, 8]]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_answer_is_the_cosine_of_what_the_encoder_says_of_each_text_alone(pooling: str) -> None:
    model = small(readout=COSINE | {"pooling": pooling}, num_labels=1, initializer_range=0.5)
    tokens = small(readout={"name": "none"}, head="token", initializer_range=0.5)
    tokens.bert.load_state_dict(model.bert.state_dict())
    found = model(IDS, MASK, SEGMENTS)
    for row, (one, other) in enumerate([([CLS, 10, 11, SEP], [CLS, 20, SEP]), ([CLS, 12, SEP], [CLS, SEP])]):
        states = [tokens.encode(torch.tensor([ids]))[0] for ids in (one, other)]
        first, second = (state.mean(0) if pooling == "mean" else state[0] for state in states)
        torch.testing.assert_close(found[row, 0], torch.cosine_similarity(first, second, dim=0), atol=1e-5, rtol=0)
    swapped = torch.tensor([[CLS, 20, SEP, 10, 11, SEP]]), None, torch.tensor([[0, 0, 0, 1, 1, 1]])
    torch.testing.assert_close(model(*swapped)[0], found[0], atol=1e-5, rtol=0)


def test_the_four_parts_are_those_worked_out_by_hand() -> None:
    readout = make_readout(PARTS, 2, 1)
    vectors = torch.tensor([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0], [2.0, 2.0]])  # two rows: 1 with 3, 2 with 4
    assert readout.compare(vectors).tolist() == [[1, 2, 3, -1, 2, 3, 3, -2], [0, 1, 2, 2, 2, 1, 0, 2]]


def test_a_fresh_last_layer_says_the_cosine_itself_or_a_logit_that_rises_with_it() -> None:
    number = small(readout=COSINE, num_labels=1)
    torch.testing.assert_close(number(**batch()), number.encode(**batch()))
    classes = small(readout=COSINE, num_labels=2)
    logits, cosines = classes(**batch()), classes.encode(**batch())
    torch.testing.assert_close(logits[:, 1] - logits[:, 0], 20 * (cosines[:, 0] - 0.5))
    assert classes.spec == HeadSpec("text", 2)


def test_a_bi_encoder_is_saved_and_written_as_a_graph(tmp_path: Path) -> None:
    for readout in (PARTS, COSINE):
        model = small(readout=readout, num_labels=2, initializer_range=0.5, layers=1)
        save_model(model, tmp_path / "m", label_names=("a", "b"), tokenizer_save=fake_tokenizer, card="")
        assert torch.equal(load_model(tmp_path / "m")(**batch()), model(**batch()))
    write_onnx(model, tmp_path / "model.onnx")
    graph = OnnxModel(tmp_path / "model.onnx", threads=1)
    for rows in (1, 5):
        inputs = {name: value[:rows] for name, value in batch().items()}
        torch.testing.assert_close(torch.as_tensor(graph(**inputs)), model(**inputs), atol=2e-4, rtol=0)


@pytest.mark.parametrize(("option", "cure"), [("pooling", "mean or cls"), ("compare", "cosine or parts")])
def test_an_unknown_option_is_refused(option: str, cure: str) -> None:
    with pytest.raises(ModelError, match=f"model.readout.{option}=max.*{cure}"):
        make_readout(COSINE | {option: "max"}, 4, 1)
