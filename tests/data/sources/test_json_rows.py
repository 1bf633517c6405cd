"""JSON: an object per line or an array of objects, streamed; mistakes are told where they are."""

from __future__ import annotations

import io
import json

import pytest

from data.errors import DataError
from data.sources.json_rows import json_rows
from data.sources.options import ReadOptions, Row

OPTIONS = ReadOptions({"text": "text"})


def rows_of(text: str) -> list[Row]:
    return list(json_rows(io.StringIO(text), "d.json", OPTIONS))


def test_lines_are_numbered_by_line_and_arrays_by_place() -> None:
    assert rows_of('\n{"text": "a"}\n\n{"text": "b"}\n') == [(2, {"text": "a"}), (4, {"text": "b"})]
    assert rows_of('\n\n [{"text": "a"},\n\n{"text": "b"}]') == [(1, {"text": "a"}), (2, {"text": "b"})]
    assert rows_of("") == rows_of("[]") == rows_of(" [ ] ") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"text": "a"}\n{"text": }', "line 2 is not JSON"),
        ('{"text": "a"}\n3', "line 2 holds a int, not an object"),
        ('[{"text": "a"}, [1]]', "row 2 holds a list, not an object"),
        ('[{"text": "a"} {"text": "b"}]', "row 2: expected , or ]"),
        ('[{"text": "a"}', "expected , or ] and found 'the end'"),
        ('[{"text": "a"}] 1', "continues after its array"),
        ('{"text": "a", "text": "b"}', "has 'text' more than once"),
        ('{"body": "a"}', "'text' is not in d.json"),
        ('{"text": {"0": "a", "1": "b"}, "label": {"0": 1, "1": 0}}', "holds columns, each with its rows"),
        (f'{{"text": "a", "n": {"1" * 5000}}}\n', "line 1 is not JSON"),
    ],
)
def test_a_mistake_is_told_where_it_is(text: str, expected: str) -> None:
    with pytest.raises(DataError) as raised:
        rows_of(text)
    assert expected in str(raised.value)


def test_a_repeated_key_that_nobody_reads_does_no_harm() -> None:
    assert rows_of('{"text": "a", "n": 1, "n": 2}') == [(1, {"text": "a", "n": 2})]


def test_in_training_a_row_may_leave_out_a_column_even_the_first() -> None:
    text = '{"text": "a"}\n{"label": 1, "text": "b"}\n'
    training = ReadOptions({"text": "text", "label": "label"}, only_wanted=True)
    assert next(json_rows(io.StringIO(text), "d.json", training)) == (1, {"text": "a"})
    with pytest.raises(DataError, match=r"'label' is not in d\.json"):
        list(json_rows(io.StringIO('{"text": "a"}\n' * 300), "d.json", training))


def test_an_array_is_read_a_part_at_a_time() -> None:
    values = [{"text": "a" * size, "n": size} for size in (1, 70_000, 3, 200_000, 0)]
    for text in (json.dumps(values), json.dumps(values, indent=3)):
        assert rows_of(text) == list(enumerate(values, 1))
    endless = io.StringIO('[{"text": b}, ' + "1," * 200_000)
    with pytest.raises(DataError, match="row 1 is not JSON"):
        list(json_rows(endless, "d.json", OPTIONS))
    assert endless.tell() < 100_000
