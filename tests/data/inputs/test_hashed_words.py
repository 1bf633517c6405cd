"""Hashed words: the tokens of a text without a vocabulary, pairs, cuts, and the saved folder."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.hashed_words import FILE, HashedWords, hash_texts
from data.inputs.text import Text
from data.inputs.tokenizer import load_tokenizer, require_pieces


def hashes(*words: str) -> list[int]:
    return [(zlib.crc32(word.encode()) + 1) % 2**32 for word in words]


def test_words_and_visible_signs_are_hashed_in_small_letters() -> None:
    assert hashes("good") == [0x6C844E92 + 1]
    tokens, counts = hash_texts(["Not GOOD!!", "", " \t ", "naïve_1 (ΟΔΟΣ)"])
    assert tokens.tolist() == hashes("not", "good", "!", "!", "naïve_1", "(", "οδος", ")")
    assert counts.tolist() == [4, 0, 0, 4]


def test_the_final_sigma_is_found_by_lowering_the_whole_text() -> None:
    assert hash_texts(["ΟΔΟΣ ΣΑΣ"])[0].tolist() == hashes("οδος", "σας")


def test_a_lone_surrogate_counts_as_the_replacement_character() -> None:
    assert hash_texts(["a\ud800b"])[0].tolist() == hashes("a", "\ufffd", "b")


def test_rows_are_cut_and_a_row_without_a_word_has_one_padding_token() -> None:
    found = HashedWords().encode(["a b c d e", "", "f"], None, 4)
    assert found.tokens.tolist() == [*hashes("a", "b", "c", "d"), 0, *hashes("f")]
    assert found.lengths.tolist() == [4, 1, 1] == found.segment_starts.tolist() and found.truncated == 1


def test_pairs_lie_one_after_the_other_and_the_longer_text_is_cut_first() -> None:
    found = HashedWords().encode(["a b c d e", "", "g", ""], ["x", "y", "", ""], 4)
    assert found.tokens.tolist() == [*hashes("a", "b", "c", "x", "y", "g"), 0]
    assert found.lengths.tolist() == [4, 1, 1, 1] and found.segment_starts.tolist() == [3, 0, 1, 1]


def test_questions_are_padded_with_a_mask() -> None:
    asked = Text(HashedWords()).ask([["a b", ""]], max_length=8)
    batch = asked.split.input.collate(asked.split, np.arange(2))
    assert batch["input_ids"].tolist() == [hashes("a", "b"), [0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_a_saved_folder_opens_again(tmp_path: Path) -> None:
    HashedWords().save(tmp_path)
    assert load_tokenizer(str(tmp_path)) == HashedWords()
    facts = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(facts | {"format": 2}))
    with pytest.raises(DataError, match="hashed words that this version cannot read"):
        load_tokenizer(str(tmp_path))


def test_vowel_signs_are_parts_of_words_beside_character_n_grams(tmp_path: Path) -> None:
    tokenizer, text = HashedWords((2, 3)), "मेरी किताबें ❤\ufe0f"
    assert tokenizer.words_of(text) == ["मेरी", "किताबें", "❤\ufe0f"]
    assert HashedWords().words_of("मेरी") == ["म", "\u0947", "र", "\u0940"], "words alone are split as before"
    tokenizer.save(tmp_path)
    assert load_tokenizer(str(tmp_path)) == tokenizer
    found = load_tokenizer(str(tmp_path)).encode([text], None, 9)
    assert found.segment_starts.tolist() == [3]
    assert found.tokens[:3].tolist() == tokenizer.hash_words(tokenizer.words_of(text))


def test_a_file_of_an_earlier_version_still_splits_words_at_marks(tmp_path: Path) -> None:
    facts = {**HashedWords((2, 3)).facts, "pattern": r"\w+|[^\w\s]"}
    (tmp_path / FILE).write_text(json.dumps(facts))
    found = load_tokenizer(str(tmp_path))
    assert isinstance(found, HashedWords) and found.words_of("मेरी") == ["म", "\u0947", "र", "\u0940"]
    assert found.facts == facts and found.fingerprint != HashedWords((2, 3)).fingerprint


def test_nothing_that_needs_a_vocabulary_gets_one() -> None:
    with pytest.raises(DataError, match=r"task=x needs a vocabulary.*model\.tokenizer=auto"):
        require_pieces(HashedWords(), "task=x")
    with pytest.raises(DataError, match="keeps hashes"):
        HashedWords().tokens()
