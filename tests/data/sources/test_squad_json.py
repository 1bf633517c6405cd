"""SQuAD's own format: which streams are in it, and the rows that they hold."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from data.errors import DataError
from data.sources.json_rows import json_rows
from data.sources.options import ReadOptions

QAS = [{"id": "a", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]}, {"id": "b", "question": "?"}]
FILE = {"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "Ada wrote.", "qas": QAS}]}]}


def rows(text: str) -> list[tuple[int, dict[str, Any]]]:
    return list(json_rows(io.StringIO(text), "x.json", ReadOptions({"text": "question"})))


@pytest.mark.parametrize("indent", [None, 2])
def test_each_question_is_a_row_with_its_context_and_title(indent: int | None) -> None:
    found = rows(json.dumps(FILE, indent=indent))
    assert [number for number, _ in found] == [1, 2]
    assert found[0][1] == {"title": "T", "context": "Ada wrote.", **QAS[0]}


def test_one_article_alone_and_rows_in_a_list_are_read_too() -> None:
    assert len(rows(json.dumps(FILE["data"][0]))) == 2  # type: ignore[index]
    assert rows(json.dumps({"data": [{"question": "Who?", "context": "x"}]}))[0][1]["context"] == "x"


def test_lines_of_objects_stay_lines() -> None:
    line = json.dumps({"question": "Who?", "data": [1, 2]})
    assert [number for number, _ in rows(f"{line}\n{line}\n")] == [1, 2]
    other = json.dumps({"question": "Who?", "data": [{"a": 1}]})
    assert [number for number, _ in rows(f"{other}\n{other}\n")] == [1, 2]
    with pytest.raises(DataError, match="line 1 is not JSON"):
        rows('{"question": "a"\n')


def test_a_file_in_another_form_is_refused_with_its_place() -> None:
    with pytest.raises(DataError, match=r"x.json is not JSON: .*cut off"):
        rows(json.dumps(FILE)[:60])
    with pytest.raises(DataError, match="article 1 paragraph 1 has no `context`"):
        rows(json.dumps({"data": [{"paragraphs": [{"qas": []}]}]}))
    with pytest.raises(DataError, match="article 2 is a str"):
        rows(json.dumps({"data": [FILE["data"][0], "x"]}))  # type: ignore[index]
    with pytest.raises(DataError, match="paragraph 1: its `qas` is missing"):
        rows(json.dumps({"data": [{"paragraphs": [{"context": "c"}]}]}))
