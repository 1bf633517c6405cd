"""The table of words and pairs: which pairs there are, whatever stands beside a text, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from models.backbones.bag_of_words import BagOfWords
from models.backbones.hooks import Recorder
from models.build import build
from models.checkpoints.open import load_model
from models.embeddings.bigram import FIRST, PRIME, SECOND, Bigram
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.parts import make_embedding
from models.settings import ModelSettings
from tests.conftest import REPO
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, count

OPTIONS: dict[str, Any] = yaml.safe_load((REPO / "conf/model/embedding/bigram.yaml").read_text(encoding="utf-8"))
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{number}" for number in range(85))]


def tokens() -> list[str]:
    return WORDS


def made(buckets: int = 1000, hidden: int = 4) -> Bigram:
    """An embedding of which every pair has learned something."""
    found = make_embedding(OPTIONS | {"buckets": buckets}, len(WORDS), hidden, 0, tokens)
    assert isinstance(found, Bigram)
    return found


def dsn(**changes: Any) -> Any:
    shape: dict[str, Any] = {"hidden": 32, "width": 0.5, "positions": 64, "readout": {"name": "mean"}}
    settings = ModelSettings(family="dsn", embedding=OPTIONS | {"buckets": 1000}, **(shape | changes))
    model = build(settings, head=HeadSpec(outputs=3), vocab_size=len(WORDS), pad_id=0, tokens=tokens)[0].eval()
    return model


def learned(model: Any) -> Any:
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.pairs.weight.normal_(generator=torch.Generator().manual_seed(0))
    return model


def test_a_word_gets_the_vector_of_the_pair_it_ends() -> None:
    embedding = made()
    ids = torch.tensor([[2, 7, 9, 9, 3, 0]])
    own, found = embedding.words(ids), embedding(ids)
    for place, (before, word) in enumerate(zip([0, 2, 7, 9, 9, 3], ids[0].tolist())):
        expected = own[0, place]
        if place in (2, 3):  # w2 w4 and w4 w4; nothing makes a pair with [CLS], [SEP] or padding
            expected = expected + embedding.pairs.weight[(before * FIRST + word * SECOND) % PRIME % 1000]
        torch.testing.assert_close(found[0, place], expected, rtol=0, atol=0)


def test_order_matters_and_what_stands_beside_a_text_does_not() -> None:
    embedding = made(hidden=2)
    there, back = embedding(torch.tensor([[2, 7, 9, 3], [2, 9, 7, 3]])).sum(1)
    assert not torch.allclose(there, back)
    alone = embedding(torch.tensor([[2, 7, 9, 3]]))
    beside = embedding(torch.tensor([[2, 8, 8, 3, 0, 0], [2, 7, 9, 3, 0, 0]]))
    assert torch.equal(alone[0], beside[1, :4])
    assert torch.equal(embedding(torch.tensor([2, 8, 3, 2, 7, 9, 3]))[3:], alone[0]), "texts without padding"


def test_a_new_model_is_that_of_the_words_alone() -> None:
    torch.manual_seed(0)
    model = dsn()
    assert not model.bert.embeddings.word_embeddings.pairs.weight.any()
    assert model.bert.embeddings.word_embeddings.words.weight.std() > 0.01


def test_padding_is_left_out_with_the_same_answer() -> None:
    model, inputs = learned(dsn(norm="none")), batch(5, 9)
    inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
    inputs["attention_mask"][1:, 3:] = 0
    inputs["input_ids"] = inputs["input_ids"].clamp(max=len(WORDS) - 1) * inputs["attention_mask"]
    inputs["input_ids"][:, 0] = 2
    bert = model.bert
    assert isinstance(bert, BagOfWords) and bert.is_worth_unpadding(inputs["attention_mask"])
    with torch.no_grad():
        torch.testing.assert_close(bert(**inputs), bert(**inputs, hooks=[Recorder()]), rtol=1e-5, atol=1e-6)


def test_a_saved_model_opens_with_its_norm_and_the_same_answers(tmp_path: Path) -> None:
    model, inputs = learned(dsn(norm="none")), batch(3, 8)
    inputs["input_ids"] = inputs["input_ids"].clamp(max=len(WORDS) - 1)
    write(model, tmp_path / "m")
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    Tokenizer(WordPiece(vocabulary, unk_token="[UNK]")).save(str(tmp_path / "m" / "tokenizer.json"))
    again = load_model(tmp_path / "m")
    assert isinstance(again.bert.embeddings.LayerNorm, torch.nn.Identity)
    with torch.no_grad():
        assert torch.equal(model(**inputs), again(**inputs))


@pytest.mark.parametrize(("norm", "of_norm"), [("layer", 32), ("none", 0)])
def test_the_rows_of_both_tables_are_counted_as_parameters(norm: str, of_norm: int) -> None:
    assert count(dsn(norm=norm)) == 16 * (len(WORDS) + 1000 + 64 + 2) + of_norm + 16 * 3 + 3


def test_a_vocabulary_without_ends_and_no_buckets_are_refused() -> None:
    with pytest.raises(ModelError, match=r"Try: model\.tokenizer=train"):
        make_embedding(OPTIONS, 10, 4, 0, lambda: ["a", "b"])
    with pytest.raises(ModelError, match=r"buckets=0.*Try: model.embedding.buckets="):
        make_embedding(OPTIONS | {"buckets": 0}, 90, 4, 0, tokens)


def test_texts_without_special_tokens_form_no_pairs_with_each_other() -> None:
    embedding, rows = made(), torch.tensor([[7, 9, 8], [9, 7, 11]])
    alone = torch.cat([embedding(row[None]) for row in rows])
    assert torch.equal(embedding(rows), alone)
    assert torch.equal(alone[:, 0], embedding.words(rows[:, 0])), "a first word has no word before it"
    flat = embedding.at_places(rows.flatten(), torch.tensor([0, 1, 2, 0, 1, 2]))
    assert torch.equal(flat, alone.flatten(0, 1))
