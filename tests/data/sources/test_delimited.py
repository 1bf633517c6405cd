"""CSV and TSV: the delimiter by the header, quotes by the format, line numbers as in an editor."""

from __future__ import annotations

import io

import pytest

from data.errors import DataError
from data.sources.delimited import delimited_rows
from data.sources.options import ReadOptions, Row

WANTED = {"text": "text", "label": "label"}


def rows_of(text: str, kind: str = "csv", **options: str) -> list[Row]:
    return list(delimited_rows(io.StringIO(text), kind, f"d.{kind}", ReadOptions(WANTED, **options)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_names_the_columns(delimiter: str) -> None:
    body = f'"x; y, z|"{delimiter}1\n'
    assert rows_of(f"text{delimiter}label\n{body}") == [(2, {"text": "x; y, z|", "label": "1"})]


def test_lines_are_numbered_as_an_editor_does() -> None:
    text = '\n \ntext,label\n"two\nlines",1\n\nlast,0\n'
    assert [(line, row["text"]) for line, row in rows_of(text)] == [(5, "two\nlines"), (7, "last")]


def test_the_line_by_which_a_spreadsheet_names_its_delimiter_is_no_header() -> None:
    assert rows_of('"sep=;"\r\ntext;label\r\na, b;1\r\n') == [(3, {"text": "a, b", "label": "1"})]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("text:label\na:1\n", "with ':' between columns. Try: delimiter=:"),
        ("# made today\ntext,label\na,1\n", "but line 2 does. Try: tail -n +2 d.csv > fixed.csv"),
    ],
)
def test_a_header_that_is_cut_otherwise_or_lies_further_down_is_found(text: str, cure: str) -> None:
    with pytest.raises(DataError) as caught:
        rows_of(text)
    assert str(caught.value).endswith(cure)


def test_tsv_keeps_its_quotes_unless_the_header_has_them() -> None:
    assert rows_of('text\tlabel\n"a" b\t1\n', "tsv")[0][1]["text"] == '"a" b'
    assert rows_of('"text"\t"label"\n"a"\t"1"\n', "tsv")[0][1]["text"] == "a"
    assert rows_of('text\tlabel\n"a"\t1\n', "tsv", quoting="minimal")[0][1]["text"] == "a"


def test_other_columns_stay_unless_only_the_wanted_ones_are_asked_for() -> None:
    text = "id,text,id,label\n1,a,2,0\n"
    assert rows_of(text)[0][1] == {"id": "1", "text": "a", "id.1": "2", "label": "0"}
    only = ReadOptions(WANTED, only_wanted=True)
    assert list(delimited_rows(io.StringIO(text), "csv", "d.csv", only)) == [(2, {"text": "a", "label": "0"})]


@pytest.mark.parametrize(("line", "count"), [("a", "1 field"), ("a,1,b", "3 fields")])
def test_a_line_of_another_length_is_refused_by_its_number(line: str, count: str) -> None:
    with pytest.raises(DataError, match=f"line 3 has {count}, the header 2"):
        rows_of(f"text,label\nx,1\n{line}\n")


def test_a_header_between_the_rows_of_joined_files_is_no_row() -> None:
    with pytest.raises(DataError, match="line 3 is the header again, as in joined files"):
        rows_of("text,label\nx,1\ntext,label\ny,0\n")
    only_texts = ReadOptions({"text": "text"})
    rows = delimited_rows(io.StringIO("text\nsome\ntext\n"), "csv", "d.csv", only_texts)
    assert [row["text"] for _, row in rows] == ["some", "text"]


def test_an_impossible_delimiter_is_refused() -> None:
    for wrong in ("ab", '"', ""):
        with pytest.raises(DataError, match="expected one character, tab or auto"):
            rows_of("text,label\n", delimiter=wrong)


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf16_without_a_byte_order_mark_is_named(order: str) -> None:
    text = "text,label\na good film,1\n".encode(f"utf-16-{order}").decode()
    with pytest.raises(DataError, match=rf"d.csv seems to be UTF-16 .* Try: encoding=utf-16-{order}$"):
        rows_of(text)
