"""Answers become rows of a table by the types of their fields, whatever the task."""

from __future__ import annotations

from typing import Any

from data.inputs.request import Field
from runner.deploy.answer_table import answer_row, as_cell, column_types, names_beside

CLASSES = (Field("prediction", "label", "a class", ("a", "b")), Field("probabilities", "shares", "of each", ("a", "b")))
NUMBER = (Field("prediction", "number", "a number"),)
TAGS = (Field("prediction", "text", "a sentence"), Field("spans", "spans", "names"), Field("tags", "tags", "of words"))


def test_shares_have_a_column_for_each_name() -> None:
    assert answer_row({"prediction": "a", "probabilities": {"a": 0.75, "b": 0.25}}, CLASSES) == {
        "prediction": "a",
        "p_a": 0.75,
        "p_b": 0.25,
    }
    assert column_types(CLASSES) == {"prediction": str, "p_a": float, "p_b": float}


def test_a_number_is_a_column_of_numbers() -> None:
    assert answer_row({"prediction": 3.5}, NUMBER) == {"prediction": 3.5} and column_types(NUMBER) == {
        "prediction": float
    }


def test_lists_are_one_column_and_json_in_a_cell() -> None:
    span = {"type": "LOC", "text": "Çorum", "start": 0, "end": 5, "score": 0.5}
    answer: dict[str, Any] = {"prediction": "[Çorum](LOC)", "spans": [span], "tags": ["B-LOC"]}
    assert answer_row(answer, TAGS) == answer and column_types(TAGS) == dict.fromkeys(answer, str)
    assert as_cell(["B-LOC"]) == '["B-LOC"]' and "Çorum" in as_cell([span]) and as_cell(0.5) == 0.5


def test_an_answer_gives_way_to_a_column_of_labels_but_is_not_given_twice() -> None:
    fields = (*TAGS, Field("probabilities", "shares", "of labels", ("pos",)))
    found = names_beside(fields, {"tags", "prediction", "p_pos", "text"})
    assert found == {"prediction": "prediction", "spans": "spans", "tags": "predicted_tags", "p_pos": "p_pos"}
