"""Texts without special tokens: what is cut, dropped and padded, and that a saved folder reads them alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers

from data.errors import DataError
from data.inputs.tokenizer import PieceTokenizer, load_tokenizer, train_tokenizer, wrap_backend
from data.inputs.trimmed import trim

VOCAB = {"<unk>": 0, "a": 1, "b": 2, "c": 3}


def without_padding(folder: Path, **config: str) -> str:
    """A folder with a tokenizer that has no padding token, as Llama's has none."""
    backend = Backend(models.WordLevel(VOCAB, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    folder.mkdir()
    backend.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(folder)


def test_rows_without_a_padding_token_are_padded_with_one_more_id(tmp_path: Path) -> None:
    source = without_padding(tmp_path / "llama")
    with pytest.raises(DataError, match="has no padding token"):
        load_tokenizer(source)
    found = load_tokenizer(source, special_tokens=False)
    assert (found.vocab_size, found.pad_id) == (5, 4)
    rows = found.encode(["a b x", "", "c"], None, 8)
    assert rows.tokens.tolist() == [1, 2, 0, 4, 3] and rows.lengths.tolist() == [3, 1, 1]


def test_a_second_text_has_its_own_start_even_where_one_is_empty(tmp_path: Path) -> None:
    found = load_tokenizer(without_padding(tmp_path / "llama"), special_tokens=False)
    rows = found.encode(["a b", "", "a", ""], ["c", "b c", "", ""], 8)
    assert rows.tokens.tolist() == [1, 2, 3, 2, 3, 1, 4]
    assert rows.segment_starts.tolist() == [2, 0, 1, 1] and rows.lengths.tolist() == [3, 2, 1, 1]
    cut = found.encode(["a b c a", "a"], ["b b", "b"], 4)
    assert cut.tokens.tolist() == [1, 2, 2, 2, 1, 2] and cut.truncated == 1
    assert cut.is_cut is not None and cut.is_cut.tolist() == [True, False]


def test_model2vec_drops_unknown_pieces_and_others_keep_them(tmp_path: Path) -> None:
    dropping = load_tokenizer(without_padding(tmp_path / "m2v", model_type="model2vec"), special_tokens=False)
    assert dropping.encode(["a x b", "x"], None, 8).tokens.tolist() == [1, 2, 4]
    keeping = load_tokenizer(without_padding(tmp_path / "st"), special_tokens=False)
    assert dropping.fingerprint != keeping.fingerprint
    for found in (dropping, keeping):
        found.save(tmp_path / "saved")
        again = load_tokenizer(str(tmp_path / "saved"))
        assert (again.fingerprint, again.pad_id, again.vocab_size) == (found.fingerprint, 4, 5)
        expected = found.encode(["a x b"], None, 8).tokens.tolist()
        assert again.encode(["a x b"], None, 8).tokens.tolist() == expected


def test_the_template_of_special_tokens_is_removed() -> None:
    framed = train_tokenizer(["a fine film"] * 5, 64)
    bare = wrap_backend(framed.backend, "train", framed.names, {})
    assert bare.pad_id == 0 and bare.vocab_size == framed.vocab_size
    whole = framed.word_cache.encode(["a fine film"], None, 16).tokens if framed.word_cache else np.zeros(0)
    assert bare.encode(["a fine film"], None, 16).tokens.tolist() == whole[1:-1].tolist()


def test_a_trimmed_vocabulary_stays_bare_and_keeps_its_own_padding() -> None:
    framed = train_tokenizer(["a fine film", "dull"] * 5, 80)
    bare = wrap_backend(framed.backend, "train", framed.names, {})
    tokens = bare.encode(["a fine film"], None, 16).tokens
    counts = np.bincount(tokens, minlength=bare.vocab_size)
    trimmed: PieceTokenizer = trim(bare, counts, "task")
    assert trimmed.bare and trimmed.vocab_size < bare.vocab_size
    found = trimmed.encode(["a fine film"], None, 16).tokens
    assert [trimmed.tokens()[index] for index in found] == [bare.tokens()[index] for index in tokens]


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("max_length", [1, 3, 7, 200])
@pytest.mark.parametrize("paired", [False, True])
def test_words_that_were_encoded_once_give_the_same_pieces(drops: bool, max_length: int, paired: bool) -> None:
    framed = train_tokenizer(["a fine film about the naïve [x] and the dull"] * 5, 90)
    found = wrap_backend(framed.backend, "train", framed.names, {"drops_unknown": drops})
    assert found.bare and found.bare.word_cache
    by_text = replace(found.bare, word_cache=None)
    texts = [
        "a fine film",
        "",
        "  ",
        "日本 語 a",
        "the\tdull\n ünknown 😀 film",
        "[UNK] a[SEP]b",
        "a " * 30,
        "q \u200b film",
    ]
    texts *= 3  # few texts and many go different ways
    for one in (texts, texts[:4]):
        pairs = one[::-1] if paired else None
        expected = by_text.encode(found.backend, one, pairs, max_length)
        for _ in range(2):  # with an empty cache and a full one
            same = found.bare.encode(found.backend, one, pairs, max_length)
            assert (
                same.tokens.tolist() == expected.tokens.tolist() and same.lengths.tolist() == expected.lengths.tolist()
            )
            assert same.segment_starts.tolist() == expected.segment_starts.tolist()
            assert same.is_cut is not None and expected.is_cut is not None
            assert same.is_cut.tolist() == expected.is_cut.tolist() and same.truncated == expected.truncated
