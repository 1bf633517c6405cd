"""Tokenising by word equals tokenising by text, whatever the texts hold."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from data.inputs import word_cache as encoding
from data.inputs.tokenizer import train_tokenizer, wrap_backend
from data.inputs.word_cache import WordCache, encode_by_text, first_words

WORDS = [
    "the", "film", "unbelievable", "isn't", "good.", "(very)", "naïve", "Ünder", "e\u0301te\u0301", "日本語の本",
    "ＦＵＬＬ", "a\tb", "line\nbreak", "zero\u200bwidth", "ctrl\x1c\x07here", "nbsp\u00a0glued", "\u3000", "", "",
    "[SEP]", "x[MASK]y", "[CLS]", "ΣΟΦΟΣ", "straße", "İstanbul", "\u0301starts", "emoji😀😀", "0.5%", "--", "x" * 120,
    "\ufffd", "\u2028",
]  # fmt: skip
BACKEND = train_tokenizer([" ".join(WORDS)] * 3, 300).backend


def texts(count: int, longest: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(WORDS, k=chosen.randint(0, longest))) for _ in range(count)]


def words() -> WordCache:
    found = WordCache.of(BACKEND)
    assert found is not None
    return found


def same(one: encoding.Encoded, other: encoding.Encoded) -> None:
    np.testing.assert_array_equal(one.lengths, other.lengths)
    np.testing.assert_array_equal(one.tokens, other.tokens)
    np.testing.assert_array_equal(one.segment_starts, other.segment_starts)
    assert one.truncated == other.truncated


@pytest.mark.parametrize("max_length", [3, 4, 5, 8, 17, 1000])
@pytest.mark.parametrize("paired", [False, True])
def test_the_word_cache_gives_the_tokens_of_whole_texts(max_length: int, paired: bool) -> None:
    one = texts(300, 12, 1)
    pairs = texts(300, 12, 2) if paired else None
    same(words().encode(one, pairs, max_length), encode_by_text(BACKEND, one, pairs, max_length))


@pytest.mark.parametrize("max_length", [3, 8, 17])
@pytest.mark.parametrize("paired", [False, True])
def test_texts_that_are_cut_before_they_are_tokenised_keep_their_tokens(max_length: int, paired: bool) -> None:
    """Long ones, with runs of spaces and words without a token where the cut would be; few and many in one call."""
    hard = [*texts(40, 60, 4), " " * 50 + "film", "\u200b " * 30 + "good.", "\ufffd " * 20 + "the film " * 20, "", " "]
    hard += ["the " * 9 + "   " * 30 + "film", "x\u0301 " * 40, "[SEP] " * 30, "日本語の本" * 20, "a\tb\n" * 30]
    pairs = hard[::-1] if paired else None
    expected = encode_by_text(BACKEND, hard, pairs, max_length)
    same(words().encode(hard, pairs, max_length), expected)
    encoder, found = words(), []
    for i, text in enumerate(hard):
        alone = encoder.encode([text], pairs and [pairs[i]], max_length)
        same(alone, encode_by_text(BACKEND, [text], pairs and [pairs[i]], max_length))
        assert alone.is_cut is not None and bool(alone.is_cut[0]) == bool(alone.truncated)
        found += alone.tokens.tolist()
    assert found == expected.tokens.tolist() and expected.is_cut is not None and expected.is_cut.any()


def test_a_text_is_cut_between_words_or_not_at_all() -> None:
    text = "one two  three"
    assert first_words(text, 2) == "one two" and first_words(text, 3) == "one two " and first_words(text, 4) is text
    assert first_words("unbelievable", 1) == "unbelievable" and first_words("", 1) == ""


def test_what_follows_enough_words_is_not_tokenised(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, asked = words(), list[str]()
    numbers = encoder._numbers
    monkeypatch.setattr(encoder, "_numbers", lambda new: (asked.extend(new), numbers(new))[1])
    encoder.encode(["film good. the " * 5 + " ".join(f"new{i}" for i in range(1000))], None, 10)
    assert set(asked) == {"film", "good.", "the"}


def test_forgetting_words_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "MOST_WORDS", 5)
    one = texts(100, 12, 3)
    encoder = words()
    for start in range(0, 100, 10):
        same(
            encoder.encode(one[start : start + 10], None, 20),
            encode_by_text(BACKEND, one[start : start + 10], None, 20),
        )


def with_part(name: str, value: Any) -> Any:
    from tokenizers import Tokenizer

    changed = Tokenizer.from_str(BACKEND.to_str())
    setattr(changed, name, value)
    return changed


def test_tokenizers_unlike_berts_have_no_word_cache() -> None:
    from tokenizers import pre_tokenizers, processors

    assert WordCache.of(with_part("pre_tokenizer", pre_tokenizers.ByteLevel())) is None
    template = processors.TemplateProcessing(single="[CLS] $A", pair="[CLS] $A $B", special_tokens=[("[CLS]", 2)])
    assert WordCache.of(with_part("post_processor", template)) is None
    spaced = with_part("pre_tokenizer", BACKEND.pre_tokenizer)
    spaced.add_tokens(["New York"])  # would be matched across pieces
    assert WordCache.of(spaced) is None


def test_a_text_without_any_token_is_one_padding_token() -> None:
    from tokenizers import processors

    template = processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    found = wrap_backend(with_part("post_processor", template), "none").encode(["", "the", "", "\x07"], None, 8)
    assert found.lengths.tolist() == found.segment_starts.tolist() == [1, 1, 1, 1]
    assert found.tokens.tolist() == [0, BACKEND.token_to_id("the"), 0, 0] and found.truncated == 0
