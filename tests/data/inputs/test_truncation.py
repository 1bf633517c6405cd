"""Rows that lose the tokens in the middle of their texts."""

from __future__ import annotations

import numpy as np
import pytest

from data.inputs.text import Text
from data.inputs.tokenizer import Tokenizer, train_tokenizer
from data.inputs.truncation import MIDDLE, without_middles
from data.inputs.word_cache import Encoded
from data.targets.masked_words import UNCUT

LONG = " ".join(f"w{number}" for number in range(40))
TEXTS = ["a dog slept", LONG, ""]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([*TEXTS, LONG, LONG], 120)


def rows_of(encoded: Encoded) -> list[list[int]]:
    return [part.tolist() for part in np.split(encoded.tokens, np.cumsum(encoded.lengths)[:-1])]


@pytest.mark.parametrize("longest", [4, 15, 16])
def test_a_long_text_keeps_its_beginning_and_its_end(tokenizer: Tokenizer, longest: int) -> None:
    whole = tokenizer.encode(TEXTS, None, UNCUT)
    found = without_middles(whole, longest)
    for row, had in zip(rows_of(found), rows_of(whole)):
        assert row == (had if len(had) <= longest else had[: longest - longest // 2] + had[len(had) - longest // 2 :])
    cut = [len(row) > longest for row in rows_of(whole)]
    assert found.is_cut is not None and found.is_cut.tolist() == cut and found.truncated == sum(cut)
    assert found.lengths.tolist() == found.segment_starts.tolist() == [len(row) for row in rows_of(found)]
    first, last = rows_of(whole)[1][0], rows_of(whole)[1][-1]
    assert rows_of(found)[1][0] == first and rows_of(found)[1][-1] == last  # [CLS] and [SEP]


def test_of_a_pair_the_longer_text_is_cut_first_and_both_keep_their_ends(tokenizer: Tokenizer) -> None:
    firsts, seconds = ["a dog slept", LONG, LONG], [LONG, "a dog slept", LONG]
    whole = tokenizer.encode(firsts, seconds, UNCUT)
    found = without_middles(whole, 31)
    usual = tokenizer.encode(firsts, seconds, 31)
    assert found.lengths.tolist() == [31, 31, 31] == usual.lengths.tolist()
    short = len(tokenizer.encode(["a dog slept"], None, UNCUT).tokens)
    assert found.segment_starts.tolist() == [short, 31 - (short - 1), 16]
    for row, had, start, begin in zip(rows_of(found), rows_of(whole), found.segment_starts, whole.segment_starts):
        for part, text in ((row[:start], had[:begin]), (row[start:], had[begin:])):
            half = len(part) // 2
            assert part == text[: len(part) - half] + text[len(text) - half :]


def test_rows_without_special_tokens_keep_both_ends_too() -> None:
    whole = Encoded(np.arange(9), np.array([9]), np.array([9]), 0)
    assert without_middles(whole, 5).tokens.tolist() == [0, 1, 2, 7, 8]


def test_questions_are_cut_like_the_training_rows(tokenizer: Tokenizer) -> None:
    own = Text.for_questions(tokenizer, ("text",), {"truncate": MIDDLE})
    asked = own.ask([TEXTS], 16)
    trained_on = Text(tokenizer, truncate=MIDDLE).encode({"text": TEXTS}, 16)
    assert asked.split.tokens.tolist() == trained_on.tokens.tolist()
    assert trained_on.tokens.tolist() != Text(tokenizer).encode({"text": TEXTS}, 16).tokens.tolist()
    assert asked.is_cut.tolist() == [False, True, False]
    assert asked.lengths.tolist() == tokenizer.encode(TEXTS, None, UNCUT).lengths.tolist()
    assert Text.for_questions(tokenizer, ("text",), {}).truncate == "end"  # an export of an older version
