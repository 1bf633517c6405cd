"""Rows of words as rows of tokens: which token answers for which word, also where rows are longer than the input."""

from __future__ import annotations

import numpy as np
import pytest

from data.batch import collate
from data.inputs.tokenizer import Tokenizer, train_tokenizer
from data.inputs.words import Words, lost_words
from data.splits import TokenSplit
from tests.data.helpers import split_of_words

ROWS = [["Empire", "State", "ESB", "n't", "@paulwalk"], ["", "\u200b", "view"], [f"w{i}" for i in range(12)], ["\x07"]]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([" ".join(row) for row in ROWS] * 4, 60)


def words_at(split: TokenSplit, row: int) -> list[int]:
    """The labels of a row that an output answers, in order: the number of the word in the whole split."""
    batch = collate(split, np.array([row]))
    return [int(label) for label in batch.targets["labels"]]


def test_rows_have_special_tokens_around_them(tokenizer: Tokenizer) -> None:
    split = split_of_words(tokenizer, ROWS)
    for row, text in enumerate(ROWS):
        ids = split.tokens[split.offsets[row] : split.offsets[row + 1]].tolist()
        assert ids == tokenizer.backend.encode(text, is_pretokenized=True).ids


def test_a_word_is_answered_by_its_first_token(tokenizer: Tokenizer) -> None:
    split = split_of_words(tokenizer, ROWS)
    batch = collate(split, np.array([2, 0]))
    answering = batch.inputs["input_ids"].ravel()[batch.inputs["places"]]
    expected = [tokenizer.backend.encode(word, add_special_tokens=False).ids[0] for word in [*ROWS[2], *ROWS[0]]]
    assert answering.tolist() == expected
    assert batch.targets["labels"].tolist() == [*range(8, 20), *range(5)]


def test_words_without_tokens_are_no_outputs(tokenizer: Tokenizer) -> None:
    split = split_of_words(tokenizer, ROWS)
    assert words_at(split, 1) == [7]
    assert words_at(split, 3) == []
    assert lost_words(split) == 3


def test_two_labels_a_word(tokenizer: Tokenizer) -> None:
    batch = collate(
        split_of_words(tokenizer, ROWS, np.stack([np.arange(21), -np.arange(21)], axis=1)), np.array([1, 0])
    )
    assert batch.targets["labels"].tolist() == [[7, -7], *([i, -i] for i in range(5))]


def test_long_rows_become_windows_that_answer_every_word_once(tokenizer: Tokenizer) -> None:
    split = split_of_words(tokenizer, ROWS)
    assert split.input.lay_out(split, 200, windows=True) is split
    found = split.input.lay_out(split, 12, windows=True)
    assert found.lengths.max() <= 12
    assert found.truncated == 0
    assert found.parts is not None
    assert found.sentences.tolist() == split.labels.offsets.tolist()
    assert len(found) == found.parts[-1] > len(split)
    assert [label for row in range(len(found)) for label in words_at(found, row)] == [
        label for row in range(len(split)) for label in words_at(split, row)
    ]
    for row in range(len(found)):
        ids = found.tokens[found.offsets[row] : found.offsets[row + 1]]
        assert (ids[0], ids[-1]) == (2, 3)
    batch, every = collate(found, np.arange(len(found))), collate(split, np.arange(len(split)))
    answering, whole = (b.inputs["input_ids"].ravel()[b.inputs["places"]] for b in (batch, every))
    assert answering.tolist() == whole.tolist(), "the same tokens answer for the same words"


def test_without_windows_words_are_cut_and_counted(tokenizer: Tokenizer) -> None:
    split = split_of_words(tokenizer, ROWS)
    found = split.input.lay_out(split, 12, windows=False)
    assert len(found) == len(split)
    assert found.lengths.max() == 12
    assert found.truncated == 2
    assert lost_words(found) > lost_words(split)
    assert found.labels.values is split.labels.values
    kept = words_at(found, 2)
    assert kept == list(range(8, 8 + len(kept)))
    assert 0 < len(kept) < 12


def test_words_and_two_special_tokens_beyond_the_longest_input(tokenizer: Tokenizer) -> None:
    row = ["view"] * 10
    whole = split_of_words(tokenizer, [row])
    length = int(whole.lengths[0])
    assert whole.input.lay_out(whole, length, windows=True) is whole
    cut = whole.input.lay_out(whole, length - 1, windows=True)
    assert len(cut) == 2
    assert [label for r in range(2) for label in words_at(cut, r)] == list(range(10))


def test_a_question_is_a_text_or_its_words(tokenizer: Tokenizer) -> None:
    asked = Words(tokenizer).ask([["View of  ESB.", ["Empire", "State"], ""]], 20)
    assert asked.texts == ["View of  ESB.", "Empire State", ""]
    assert asked.words is not None
    found = [[text[a:b] for a, b in places] for text, places in zip(asked.texts, asked.words)]
    assert found == [["View", "of", "ESB", "."], ["Empire", "State"], []]
    assert asked.split.labels.offsets is not None
    assert asked.split.labels.offsets.tolist() == [0, 4, 6, 6]
    assert asked.lengths.tolist() == asked.split.lengths.tolist()
    assert asked.rows is None
    assert not asked.is_cut.any()


@pytest.mark.parametrize("question", ["great \ud83d", ["great", "\ud83d"]])
def test_a_question_that_is_not_unicode_is_refused(tokenizer: Tokenizer, question: str | list[str]) -> None:
    with pytest.raises(UnicodeEncodeError):
        Words(tokenizer).ask([[question]], 16)


def test_a_question_to_a_model_of_bare_words_loses_marks_and_capitals(tokenizer: Tokenizer) -> None:
    asked = Words(tokenizer, "tr").ask([["Hayır, IŞIK!", ["IŞIK"]]], 20)
    bare = Words(tokenizer).ask([[["hayır", "ışık"], ["ışık"]]], 20)
    assert asked.split.tokens.tolist() == bare.split.tokens.tolist()
    assert asked.words is not None
    assert asked.words[0].tolist() == [[0, 5], [7, 11]]


def test_a_long_question_becomes_windows_unless_they_are_off(tokenizer: Tokenizer) -> None:
    question = " ".join(["view"] * 30)
    asked = Words(tokenizer).ask([["view", question]], 16)
    assert asked.rows is not None
    assert asked.rows[1] == 1
    assert asked.rows[2] > 2
    assert not asked.is_cut.any()
    cut = Words(tokenizer, windows=False).ask([["view", question]], 16)
    assert cut.is_cut.tolist() == [False, True]
    assert len(cut.split) == 2


def test_the_column_of_a_prediction_file() -> None:
    assert Words.columns_of({"data.tokens": "words"}.get) == ("words",)
    assert Words.columns_of({"data.tokens": "0"}.get) == ("tokens",)
