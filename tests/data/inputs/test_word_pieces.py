"""Words that are already split, as token ids: which token answers for each."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

from data.inputs.tokenizer import Tokenizer, load_tokenizer, train_tokenizer, wrap_backend
from data.inputs.word_pieces import Frame, first_places, word_pieces

ROWS = [["Empire", "State", "ESB", "n't", "@paulwalk"], [], ["", "\u200b", "view", "empire state"], ["\x07"]]
TEXTS = [" ".join(row) for row in ROWS] * 4


@pytest.fixture(scope="module")
def bert() -> Tokenizer:
    return train_tokenizer(TEXTS, 60)


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "</s>", "<pad>"]
    backend.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=400, special_tokens=special))
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return wrap_backend(backend, "test")


def test_the_word_cache_agrees_with_the_library(bert: Tokenizer) -> None:
    found = word_pieces(bert, ROWS)
    encoded = bert.backend.encode_batch(ROWS, is_pretokenized=True, add_special_tokens=False)
    assert found.tokens.tolist() == [i for e in encoded for i in e.ids]
    ids = [np.bincount(np.array(e.word_ids, int), minlength=len(row)) for e, row in zip(encoded, ROWS)]
    assert found.counts.tolist() == np.concatenate(ids).astype(int).tolist()


def test_punctuation_in_a_word_makes_tokens_of_the_same_word(bert: Tokenizer) -> None:
    counts = word_pieces(bert, [["n't", "@a", ""]]).counts
    assert counts[0] >= 3
    assert counts[1] >= 2
    assert counts[2] == 0


def test_words_without_tokens_have_no_place(bert: Tokenizer) -> None:
    found = word_pieces(bert, ROWS)
    offsets = np.cumsum([0, *map(len, ROWS)])
    places = first_places(found.counts, offsets, 1)
    assert places[5] == places[6] == places[9] == -1, "empty, zero-width and control characters"
    assert places[0] == places[7] == 1, "the first word with a token is right after [CLS]"
    assert places[:5].tolist() == (1 + np.cumsum(found.counts[:5]) - found.counts[:5]).tolist()


def test_a_byte_level_tokenizer_gets_the_space_before_a_word(byte_level: Tokenizer) -> None:
    row = ["Empire", "State", "ESB"]
    found = word_pieces(byte_level, [row])
    assert found.tokens.tolist() == byte_level.backend.encode("Empire State ESB", add_special_tokens=False).ids
    assert len(found.counts) == 3


def test_a_tokenizer_that_marks_spaces_alone_gets_the_space_before_a_word() -> None:
    for step in ("pre_tokenizer", "normalizer"):
        backend = Backend(models.BPE())
        if step == "pre_tokenizer":
            backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
        else:
            backend.normalizer = normalizers.Replace(" ", "\u2581")
            backend.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
        backend.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=100, special_tokens=["<pad>"]))
        found = word_pieces(wrap_backend(backend, "test"), [["Empire", "State", "ESB"]])
        assert found.tokens.tolist() == backend.encode("Empire State ESB").ids, step


def test_special_tokens_around_a_row(bert: Tokenizer, byte_level: Tokenizer) -> None:
    frame = Frame.of(bert)
    assert (frame.before.tolist(), frame.after.tolist()) == ([2], [3])
    frame = Frame.of(byte_level)
    assert (frame.before.tolist(), frame.after.tolist(), len(frame)) == ([0], [1], 2)


def test_no_rows_have_no_tokens(bert: Tokenizer, byte_level: Tokenizer) -> None:
    for tokenizer in (bert, byte_level):
        assert len(word_pieces(tokenizer, [[]]).tokens) == 0


@pytest.mark.hub
def test_the_tokens_of_a_published_vocabulary() -> None:
    tokenizer = load_tokenizer("google-bert/bert-base-uncased")
    row = ["Empire", "State", "ESB", "n't", "@paulwalk", "", "\u200b", "view"]
    found = word_pieces(tokenizer, [row])
    pieces = [tokenizer.backend.id_to_token(i) for i in found.tokens]
    assert pieces == ["empire", "state", "es", "##b", "n", "'", "t", "@", "paul", "##walk", "view"]
    assert found.counts.tolist() == [1, 1, 2, 3, 3, 0, 0, 1]
