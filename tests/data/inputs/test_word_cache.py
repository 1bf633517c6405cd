"""Tokenising by word equals tokenising by text, whatever the texts hold."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from data.inputs import word_cache as encoding
from data.inputs.tokenizer import train_tokenizer
from data.inputs.word_cache import WordCache, encode_by_text

WORDS = [
    "the", "film", "unbelievable", "isn't", "good.", "(very)", "naïve", "Ünder", "e\u0301te\u0301", "日本語の本",
    "ＦＵＬＬ", "a\tb", "line\nbreak", "zero\u200bwidth", "ctrl\x1c\x07here", "nbsp\u00a0glued", "\u3000", "", "",
    "[SEP]", "x[MASK]y", "[CLS]", "ΣΟΦΟΣ", "straße", "İstanbul", "\u0301starts", "emoji😀😀", "0.5%", "--", "x" * 120,
    "\ufffd", "\u2028",
]  # fmt: skip
BACKEND = train_tokenizer(lambda: [" ".join(WORDS)] * 3, 300).backend


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
def test_by_word_equals_by_text(max_length: int, paired: bool) -> None:
    one = texts(300, 12, 1)
    pairs = texts(300, 12, 2) if paired else None
    same(words().encode(one, pairs, max_length), encode_by_text(BACKEND, one, pairs, max_length))


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


def test_other_kinds_of_tokenizers_go_by_text() -> None:
    from tokenizers import pre_tokenizers, processors

    assert WordCache.of(with_part("pre_tokenizer", pre_tokenizers.ByteLevel())) is None
    template = processors.TemplateProcessing(single="[CLS] $A", pair="[CLS] $A $B", special_tokens=[("[CLS]", 2)])
    assert WordCache.of(with_part("post_processor", template)) is None
    spaced = with_part("pre_tokenizer", BACKEND.pre_tokenizer)
    spaced.add_tokens(["New York"])  # would be matched across pieces
    assert WordCache.of(spaced) is None
