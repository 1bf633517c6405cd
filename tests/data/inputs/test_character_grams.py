"""Character n-grams of words, as the tokenizer hashes them."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from data.inputs.character_grams import CharacterGrams
from data.inputs.hashed_words import HashedWords, open_words
from data.stores.build_once import SharedCache
from data.stores.trained_tokenizer import open_or_train_tokenizer


def test_the_runs_of_a_marked_word_are_hashed_after_the_word_c() -> None:
    found = CharacterGrams(2, 3)["ab"]
    wanted = [
        (zlib.crc32(b"c") + 1) * 0x85EBCA6B + zlib.crc32(gram) + 1 for gram in (b"<a", b"ab", b"b>", b"<ab", b"ab>")
    ]
    assert sorted(found.tolist()) == sorted(hash_ % 2**32 for hash_ in wanted)
    assert not len(CharacterGrams(1, 5)["a"])


def test_a_row_has_its_words_and_then_their_characters(tmp_path: Path) -> None:
    tokenizer = open_or_train_tokenizer("words:2-3", 0, None, "", SharedCache(tmp_path, print, None))  # type: ignore[arg-type]
    assert tokenizer == HashedWords((2, 3)) and tokenizer.fingerprint != HashedWords().fingerprint
    found = tokenizer.encode(["ab ! ab cd", ""], None, 3)
    plain = HashedWords().encode(["ab ! ab cd", ""], None, 3)
    first = plain.lengths[0]
    assert found.segment_starts.tolist() == plain.lengths.tolist() and found.lengths.tolist() == [first + 5, 1]
    assert np.array_equal(found.tokens[:first], plain.tokens[:first]) and found.truncated == plain.truncated == 1
    tokenizer.save(tmp_path)
    assert open_words(tmp_path) == tokenizer


def test_a_batch_has_the_rows_that_its_texts_have_alone() -> None:
    tokenizer, texts = HashedWords((2, 3)), ["one two one", "", "!", "two ein längeres Wort"]
    together = tokenizer.encode(texts, None, 3)
    alone = [HashedWords((2, 3)).encode([text], None, 3) for text in texts]
    assert together.tokens.tolist() == [token for one in alone for token in one.tokens]
    assert together.segment_starts.tolist() == [one.segment_starts[0] for one in alone]
    assert together.truncated == sum(one.truncated for one in alone)
    row = together.tokens[together.segment_starts[0] : together.lengths[0]]
    assert row.tolist() == sorted(set(row.tolist())), "n-grams ascend, each once"
