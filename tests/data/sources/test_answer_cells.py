"""Right answers in every form that tables have them in."""

from __future__ import annotations

import math

import pytest

from data.errors import DataError
from data.sources.answer_cells import answers_of, is_impossible

TWO = [("Ada", 3), ("Lovelace", 7)]


@pytest.mark.parametrize(
    ("cell", "start"),
    [
        ({"text": ["Ada", "Lovelace"], "answer_start": [3, 7]}, None),
        ([{"text": "Ada", "answer_start": 3}, {"text": "Lovelace", "answer_start": 7}], None),
        (["Ada", "Lovelace"], [3, 7]),
        ('{"text": ["Ada", "Lovelace"], "answer_start": [3, 7]}', None),
        ("{'text': ['Ada', 'Lovelace'], 'answer_start': [3, 7]}", ""),
        ('["Ada", "Lovelace"]', "[3, 7]"),
    ],
)
def test_lists_of_answers(cell: object, start: object) -> None:
    assert answers_of(cell, start, "row 1") == TWO


@pytest.mark.parametrize(
    ("start", "found"), [("3", 3), ("3.0", 3), (3.0, 3), ("", None), (None, None), (math.nan, None)]
)
def test_one_answer_with_its_start_or_without(start: object, found: int | None) -> None:
    assert answers_of("Ada", start, "row 1") == [("Ada", found)]


@pytest.mark.parametrize("cell", [None, "", "  ", math.nan, [], {}, {"text": [], "answer_start": []}, {"text": [""]}])
def test_no_answer(cell: object) -> None:
    assert answers_of(cell, None, "row 1") == []


@pytest.mark.parametrize("text", ["[sic]", "[1]", "{x}", "{1, 2}"])
def test_a_text_in_brackets_is_a_text(text: str) -> None:
    assert answers_of(text, 4, "row 1") == [(text, 4)]


def test_cells_that_cannot_be_answers_are_refused() -> None:
    with pytest.raises(DataError, match="row 1 has 2 answers and 1 values of answer_start"):
        answers_of(["Ada", "Lovelace"], 3, "row 1")
    with pytest.raises(DataError, match="row 1 has the answer_start 'three'"):
        answers_of("Ada", "three", "row 1")
    with pytest.raises(DataError, match="row 1 holds answers with start, end"):
        answers_of({"start": 1, "end": 2}, None, "row 1")


def test_questions_that_are_said_to_have_no_answer() -> None:
    assert [is_impossible(cell) for cell in (True, "true", "1", 1, False, "False", None, "")] == [True] * 4 + [
        False
    ] * 4
