"""Texts that a model is asked about: tokens, lengths before any cut, and the fields of a question."""

from __future__ import annotations

import pytest

from data.inputs.text import Text
from data.inputs.tokenizer import Tokenizer, train_tokenizer

TEXTS = ["a dog slept", "so " * 20]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer(TEXTS, 60)


def test_questions_are_texts_with_their_lengths_before_any_cut(tokenizer: Tokenizer) -> None:
    asked = Text(tokenizer).ask([TEXTS], max_length=16)
    whole = tokenizer.encode(TEXTS, None, 99)
    assert asked.lengths.tolist() == whole.lengths.tolist() and asked.is_cut.tolist() == [False, True]
    assert asked.split.lengths.tolist() == [int(whole.lengths[0]), 16] and asked.split.truncated == 1
    assert asked.texts == TEXTS and asked.words is None and asked.rows is None and len(asked.split) == 2


def test_what_is_behind_the_part_that_is_read_must_be_text_too(tokenizer: Tokenizer) -> None:
    with pytest.raises(UnicodeEncodeError):
        Text(tokenizer).ask([["so " * 50 + "\ud800"]], max_length=8)


def test_pairs_are_asked_with_two_fields(tokenizer: Tokenizer) -> None:
    settings = {"data.text": "first", "data.text_pair": "then"}
    columns = Text.columns_of(settings.get)
    assert columns == ("first", "then") and Text.columns_of({"data.text": "text"}.get) == ("text",)
    pairs = Text.for_questions(tokenizer, columns, {})
    assert [field.name for field in pairs.request()] == ["text", "text_pair"]
    asked = pairs.ask([TEXTS[:1], ["it slept"]], max_length=64)
    assert asked.split.has_pairs and asked.texts == TEXTS[:1]
