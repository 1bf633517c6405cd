"""Columns of a file: each once, the likeliest ones for a missing one, and settings as one can paste them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from data.errors import DataError, MissingColumn
from data.sources.columns import (
    distinct_names,
    is_column_number,
    listed,
    name_beside,
    require_columns,
    shell_command,
)

WANTED = {"data.text": "text", "data.label": "label"}
ROWS = [["1", "a rather long review"], ["0", "another one of them"]]


def test_a_table_with_all_columns_passes_without_its_rows_being_read() -> None:
    def never() -> list[list[str]]:
        raise AssertionError("no sample is needed")

    require_columns(["label", "text", "id"], WANTED, "d.csv", never)


def test_a_missing_column_is_named_with_the_setting_that_finds_it() -> None:
    with pytest.raises(MissingColumn) as raised:
        require_columns(["Label", "body"], WANTED, "folder/d.csv", lambda: ROWS)
    assert raised.value.key == "text"
    assert "not in d.csv (columns: Label, body). Try: data.text=body data.label=Label" in str(raised.value)


def test_the_suggested_label_has_few_values_so_it_is_not_an_id() -> None:
    rows = [["0", "a rather long review", "en", "5"], ["1", "another one", "en", "1"], ["2", "a third one", "en", "5"]]
    with pytest.raises(MissingColumn, match=r"Try: data.text=Review data.label=Stars$"):
        require_columns(["id", "Review", "language", "Stars"], WANTED, "d.csv", lambda: rows)
    with pytest.raises(MissingColumn, match=r"Try: data.text=Review data.label=id$"):
        require_columns(["id", "Review", "language"], WANTED, "d.csv", lambda: rows[:1])


def test_a_column_that_is_in_use_is_not_suggested_for_another_setting() -> None:
    with pytest.raises(MissingColumn, match=r"Try: a file that also has labels, or task=mlm, which needs none$"):
        require_columns(["text"], WANTED, "d.csv", lambda: [["one"], ["two"]])
    with pytest.raises(MissingColumn, match=r"Try: data.text=body, and a file that also has labels"):
        require_columns(["body", ""], WANTED, "d.csv", lambda: [["one", ""], ["two", ""]])
    pair = {"data.text": "text", "data.text_pair": "other"}
    with pytest.raises(MissingColumn, match=r"Try: a file that also has a column for data.text_pair$"):
        require_columns(["text"], pair, "d.csv", lambda: [["one"], ["two"]])


def test_a_file_of_questions_names_the_task_that_reads_it() -> None:
    names = ["id", "question", "context", "answers"]
    with pytest.raises(MissingColumn, match="Try: task=span, for answers to questions in a text"):
        require_columns(names, WANTED, "squad.json", list)
    with pytest.raises(MissingColumn) as raised:
        require_columns(names, {"data.text": "question", "data.text_pair": "passage"}, "squad.json", list)
    assert "task=span" not in str(raised.value)


def test_a_wanted_column_that_occurs_twice_is_refused() -> None:
    with pytest.raises(DataError, match="2 columns of that name"):
        require_columns(["text", "text", "label"], WANTED, "d.csv", lambda: [])


def test_repeated_names_are_numbered_as_in_pandas() -> None:
    assert distinct_names(["id", "text", "id", "id.1", "id"]) == ["id", "text", "id.2", "id.1", "id.3"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["text", "the label"], "text, the label"),
        (["", "text"], "'', 'text'"),  # of an index that pandas wrote
        (["text", " label"], "'text', ' label'"),
        (["name, first", "age"], "'name, first', 'age'"),
    ],
)
def test_names_that_could_be_misread_are_in_quotes(names: list[str], said: str) -> None:
    assert listed(names) == said


def test_a_command_reads_gzipped_files_too(tmp_path: Path) -> None:
    path = tmp_path / "it's.csv"
    path.write_text("a,b\n", encoding="utf-8")
    subprocess.run(["gzip", "-k", str(path)], check=True)
    for name in (path, path.with_name(f"{path.name}.gz")):
        done = subprocess.run(shell_command("cat", str(name)), shell=True, capture_output=True, text=True, check=True)
        assert done.stdout == "a,b\n" and name_beside(str(name), "fixed") == "fixed.csv"


def test_what_is_the_number_of_a_column() -> None:
    assert [is_column_number(text) for text in ("0", "-1", "12", "tokens", "", "-", None, "1.0")] == [
        True, True, True, False, False, False, False, False,
    ]  # fmt: skip
