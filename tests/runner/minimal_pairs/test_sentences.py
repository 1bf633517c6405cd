"""Sentences as pieces: the words they belong to, unknown tokens, tokenizers that cannot be used."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers.models import Unigram

from data.errors import DataError
from data.inputs.tokenizer import wrap_backend
from runner.minimal_pairs.sentences import encode_sentences, has_words
from tests.runner.minimal_pairs.toys import toy_tokenizer


def test_pieces_have_no_special_tokens_and_know_their_word() -> None:
    found = encode_sentences(toy_tokenizer(), ["the runs dogs .", "the sun runs ss", ""], "word")
    tokens = toy_tokenizer().tokens()
    assert [[tokens[piece] for piece in row] for row in found.pieces[1:2]] == [["the", "s", "##un", "runs", "s", "##s"]]
    assert found.words[1].tolist() == [0, 1, 1, 2, 3, 3]
    assert found.lengths.tolist() == [4, 6, 0]
    assert len(found.frame) == 2 and tokens[found.mask_id] == "[MASK]"


def test_unknown_tokens_are_found() -> None:
    assert encode_sentences(toy_tokenizer(), ["the dogs run", "the xyz run"], "pll").unknown.tolist() == [False, True]


def test_a_tokenizer_without_a_mask_token_is_refused() -> None:
    backend = Backend(Unigram([("<pad>", 0.0), ("a", -1.0)], unk_id=0))
    with pytest.raises(DataError, match="no mask token"):
        encode_sentences(wrap_backend(backend, "toy", {"pad_token": "<pad>"}), ["a"], "pll")


def test_scores_of_words_need_a_tokenizer_that_has_words() -> None:
    pieces = [("[PAD]", 0.0), ("[MASK]", 0.0), ("a", -1.0), ("b", -1.0), (" ", -1.0)]
    names = {"pad_token": "[PAD]", "mask_token": "[MASK]"}
    tokenizer = replace(wrap_backend(Backend(Unigram(pieces, unk_id=0)), "toy", names))
    assert has_words(toy_tokenizer()) and not has_words(tokenizer)
    with pytest.raises(DataError, match=r"score=word: .* Try: score=pll"):
        encode_sentences(tokenizer, ["a b"], "word")
    assert encode_sentences(tokenizer, ["a b"], "pll").lengths.tolist() == [3]
