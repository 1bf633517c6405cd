"""Cells as text: numbers and labels by their value, and everything that is not text refused."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from data.errors import DataError
from data.sources.cells import (
    as_text,
    check_text_columns,
    is_digits,
    label_cell,
    label_text,
    parse_number,
    plain_number,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (float("nan"), ""),
        (3, "3"),
        (" spam ", "spam"),
        ("\u200bspam\ufeff", "spam"),
        ("caf\u0065\u0301", "caf\u00e9"),  # one character for e and its accent
    ],
)
def test_labels_that_look_alike_are_the_same(value: Any, expected: str) -> None:
    assert label_text(value, "row 1") == expected


@pytest.mark.parametrize(
    ("text", "number", "plain"),
    [
        ("1.0", 1.0, "1"),
        ("1e2", 100.0, "100"),
        ("007", 7.0, "007"),
        ("+7", 7.0, "7"),
        ("-7", -7.0, "-7"),
        ("-0", 0.0, "0"),
        ("+0", 0.0, "0"),
        ("0.5", 0.5, "0.5"),
        ("1_2", None, "1_2"),
        ("a", None, "a"),
    ],
)
def test_numbers_are_read_by_value_and_names_are_left_alone(text: str, number: float | None, plain: str) -> None:
    assert parse_number(text) == number and plain_number(text) == plain


def test_digits_have_no_decimal_point() -> None:
    assert is_digits("-7") and is_digits("007") and not is_digits("7.0") and not is_digits("")
    for text in ("\N{SUPERSCRIPT TWO}", "+-7", "--7"):
        assert not is_digits(text), "no number for int"


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a", "a\ud800"])
def test_what_is_not_text_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="row 1"):
        as_text(value, "row 1", "data.text")


def test_a_list_of_labels_is_told_apart_from_a_list_of_texts() -> None:
    with pytest.raises(DataError, match="which learns sets of labels"):
        as_text(["a", "b"], "row 1", "data.label")


def test_the_error_for_a_column_without_texts_names_one_that_has_them() -> None:
    schema = pa.schema([("n", pa.int64()), ("body", pa.string()), ("parts", pa.list_(pa.string()))])
    check_text_columns(schema, {"data.text": "body"}, "d.parquet")
    with pytest.raises(DataError, match=r"'n' holds int64, not text\. Try: data\.text=body"):
        check_text_columns(schema, {"data.text": "n"}, "d.parquet")
    with pytest.raises(DataError, match="a list"):
        check_text_columns(schema, {"data.text": "parts"}, "d.parquet")
    with pytest.raises(DataError, match=r"holds int64, not text\. Try: store it as text"):
        check_text_columns(schema, {"data.text": "n"}, "d.parquet", used=["body"])


def test_lists_in_a_list_of_labels_are_refused_with_the_form_that_is_read() -> None:
    assert label_cell(["a", 1.0], "row 1") == ["a", "1.0"]
    with pytest.raises(
        DataError, match=r"row 1 holds \[\['a'\]\], lists in a list; a list must hold the labels themselves"
    ):
        label_cell([["a"]], "row 1")
