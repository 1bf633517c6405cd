"""The best answer from the scores of tokens: the hand case, limits, ties, and windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.inputs.question_context import token_labels
from data.inputs.tokenizer import PieceTokenizer, train_tokenizer
from data.splits import TokenSplit
from data.targets.span import Span
from runner.tasks.span_decoding import decode_spans
from tests.data.helpers import split_of
from tests.data.questions import Asked, split_of_questions

# Positions 0 [CLS], 1-3 question, 4 [SEP], 5-9 context, 10 [SEP].
STARTS = [1, 9, 0, 0, 0, 2, 3, 0, 0, 0, 0]
ENDS = [1, 0, 0, 9, 0, 0, 1, 4, 0, 0.5, 0]


def windows(*rows: list[list[float]]) -> tuple[np.ndarray, TokenSplit]:
    """The logits of windows of one question, and their split: each context token has one character."""
    kept = np.array([pair for starts, ends in rows for pair in zip(starts, ends)], np.float32)
    lengths = [len(starts) for starts, _ in rows]
    characters = np.full((len(kept), 2), -1, np.int32)
    for number, begin in enumerate(np.cumsum([0, *lengths[:-1]])):
        characters[begin + 5 : begin + 10, 0] = np.arange(5) + 5 * number
        characters[begin + 5 : begin + 10, 1] = np.arange(5) + 5 * number + 1
    offsets = np.cumsum([0, *lengths])
    labels = token_labels(np.zeros((len(kept), 2), np.int8), offsets, characters)
    split = replace(split_of([[1] * length for length in lengths], target=Span()), labels=labels)
    return kept, replace(split, parts=np.array([0, len(rows)]))


def test_the_hand_case() -> None:
    kept, split = windows([STARTS, ENDS])
    found = decode_spans(kept, split, 30)
    assert (found.first[0], found.last[0], found.score[0], found.null[0]) == (6, 7, 7.0, 2.0)
    assert (found.start[0], found.end[0], found.margin[0]) == (1, 3, -5.0)


def test_an_answer_of_one_token_ties_and_the_first_wins() -> None:
    found = decode_spans(*windows([STARTS, ENDS]), max_answer=1)
    assert (found.first[0], found.last[0], found.score[0]) == (6, 6, 4.0)


def test_over_windows_the_answer_is_the_maximum_and_no_answer_the_minimum() -> None:
    other = [[0.25, *STARTS[1:6], 4, *STARTS[7:]], [0.25, *ENDS[1:]]]
    found = decode_spans(*windows([STARTS, ENDS], other), max_answer=30)
    assert (found.null[0], found.score[0], found.first[0]) == (0.5, 8.0, 11 + 6)
    assert (found.start[0], found.end[0]) == (6, 8)
    both = decode_spans(*windows([STARTS, ENDS], [STARTS, ENDS]), max_answer=30)
    assert both.first[0] == 6  # of equally good windows the first


def test_each_question_is_answered_from_its_own_windows() -> None:
    better = [[0.25, *STARTS[1:6], 4, *STARTS[7:]], [0.25, *ENDS[1:]]]
    kept, split = windows([STARTS, ENDS], [STARTS, ENDS], better)
    found = decode_spans(kept, replace(split, parts=np.array([0, 1, 3])), max_answer=30)
    assert (found.first.tolist(), found.last.tolist()) == ([6, 22 + 6], [7, 22 + 7])
    assert (found.score.tolist(), found.null.tolist()) == ([7.0, 8.0], [2.0, 0.5])
    assert (found.start.tolist(), found.end.tolist()) == ([1, 11], [3, 13])


def test_a_context_without_a_token_has_no_answer() -> None:
    kept, split = windows([STARTS, ENDS])
    assert split.labels.characters is not None
    split.labels.characters[:] = -1
    found = decode_spans(kept, split, 30)
    assert (found.first[0], found.start[0], found.end[0], found.margin[0]) == (-1, 0, 0, np.inf)
    assert found.texts(["abc"]) == [""]


@pytest.fixture(scope="module")
def tokenizer() -> PieceTokenizer:
    return train_tokenizer(["who ? it is e\u0301te\u0301 today ."] * 4, 60)


def test_the_text_is_a_part_of_the_context_as_it_is(tokenizer: PieceTokenizer) -> None:
    split = split_of_questions(tokenizer, [Asked("who ?", "It  is e\u0301te\u0301 ,  today.", ["e\u0301te\u0301"])])
    kept = np.asarray(split.labels.values, np.float32)
    found = decode_spans(kept, split, 30)
    assert found.texts(["It  is e\u0301te\u0301 ,  today."]) == ["e\u0301te\u0301"]
