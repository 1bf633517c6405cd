"""Labels in a local notation are asked about, lists as texts are lists, and spellings of one label are told."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.files import read_files
from data.sources.raw import RawData
from data.stores.build_once import SharedCache
from data.targets.class_label import ClassLabel
from data.targets.label_forms import is_local_number, likely_separator, merged_numbers, parse_list, spelling_notes
from tests.data.helpers import column_of


def read(folder: Path, labels: list[str], task: str = "auto", **options: Any) -> RawData:
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as target:
        rows = ((f"text number {i}", labels[i % len(labels)]) for i in range(40))
        csv.writer(target).writerows([("text", "label"), *rows])
    given = DataSettings(source="files", path=str(folder / "rows.csv"), task=task, **options)
    return read_files(given, SharedCache(folder / "cache", lambda _: None))


def test_a_number_in_a_local_notation_is_told_from_names_and_from_plain_numbers() -> None:
    for value in ("1,5", "-0,25", "5%", "5 %", "$1,000", "€ 3", "3€", "1.234,5", "12 345", "1'000", "10,000.50"):
        assert is_local_number(value), value
    for value in ("1.5", "7", "1e3", "", "a", "1-2", "2024-01-01", "12:30", "10k", "<50%", "1.2.3", "007", "%", "nan"):
        assert not is_local_number(value), value


@pytest.mark.parametrize("labels", [["0,5", "1,5", "2"], ["5%", "10%"], ["$1,000", "$2,500"]])
def test_such_numbers_are_neither_classes_nor_a_regression_unasked(tmp_path: Path, labels: list[str]) -> None:
    with pytest.raises(DataError, match=r"look like numbers, but .*Try: data\.task=classification"):
        read(tmp_path, labels)
    with pytest.raises(DataError, match=r"is not a number\. Write it like 1234\.5"):
        read(tmp_path, labels, task="regression")
    assert len(read(tmp_path, labels, task="classification").target.names) == len(labels)


def test_names_beside_such_numbers_are_classes(tmp_path: Path) -> None:
    assert read(tmp_path, ["5%", "none"]).target.names == ("5%", "none")


def test_lists_are_parsed_as_python_and_json_write_them() -> None:
    assert parse_list("['a', 'b']") == parse_list('["a", "b"]') == ["a", "b"]
    assert parse_list("[]") == [] and parse_list("[1, 2.5]") == ["1", "2.5"]
    for text in ("['a' 'b']", "[a]", "a", "[['a']]", "['a'", "[x for x in y]", "['a', {}]", "('a',)"):
        assert parse_list(text) is None, text


def test_a_column_of_lists_as_texts_is_read_as_sets(tmp_path: Path) -> None:
    data = read(tmp_path, ["['a']", "['a', 'b']", "[]", '["c"]'])
    assert data.target.names == ("a", "b", "c")
    expected = [[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]] * 10
    assert np.array_equal(data.splits["train"].labels.values, expected)
    assert any("holds lists" in note for note in data.notes)
    assert len(read(tmp_path, ["['a']", "['b']"], task="classification").target.names) == 2, "as written"
    assert read(tmp_path, ["['a']", "plain"]).target.names == ("['a']", "plain")


def test_whole_numbers_in_two_forms_are_one_label_beside_words_too(tmp_path: Path) -> None:
    raw = read(tmp_path, ["1", "1.0", "spam", "2.0"])
    assert raw.target.names == ("1", "2.0", "spam"), "a form that stands alone is kept"
    assert raw.splits["train"].labels.values[:4].tolist() == [0, 0, 2, 1]
    assert read(tmp_path, ["1", "1.0", "2.5"], task="classification").target.names == ("1", "2.5")
    assert read(tmp_path, ["['1', 'a']", "['1.0']"]).target.names == ("1", "a")
    assert read(tmp_path, ["spam", "ham", "-1.0"], unlabelled="drop").target.names == ("ham", "spam")
    assert merged_numbers(["0", "-0", "+1", "-1"]) == ["0", "+1", "-1"] and merged_numbers(["+1", "1"]) == ["1"]
    assert merged_numbers(["v1", "1e3", "3.0", "3.00", "nan"]) == ["v1", "1e3", "3", "nan"]


@pytest.mark.parametrize(("train", "other"), [("1.0", "1"), ("1", "1.0"), ("2.0", "2e0"), ("+1", "1"), ("0", "-0")])
def test_a_number_is_found_in_the_form_of_the_training_rows(train: str, other: str) -> None:
    column, test = column_of(["spam", train]), column_of([other])
    settings = DataSettings(source="files", label_names={other: "one", "spam": "spam"})
    assert ClassLabel.of(settings, column, "train.csv").names == ("one", "spam")
    target = ClassLabel.of(DataSettings(source="files"), column, "train.csv")
    assert target.read(test, DataSettings(source="files"), "test", "test.csv")[0].values.tolist() == [0]


def test_spellings_of_one_label_are_told(tmp_path: Path) -> None:
    (note,) = read(tmp_path, ["Spam", "ham", "spam"]).notes
    assert "'Spam', 'spam' differ only in spelling" in note
    assert len(spelling_notes(["not_spam", "Not spam", "7", "007", "+7", "C", "C++", "-", "_"])) == 2
    assert len(spelling_notes(["True", "1", "False", "0"])) == 2, "of a file that two programs wrote"
    assert not spelling_notes(["True", "False"])
    assert not spelling_notes(["Spam", "ham", "1", "2", "-1", ":-)", ":)", "x", "-x"])
    assert not spelling_notes(["9007199254740992", "9007199254740993"]), "one number as floats"


def test_a_separator_is_likely_where_its_parts_occur_in_other_labels_too() -> None:
    assert likely_separator(["red;blue", "red; green", "blue"]) == (";", "red;blue")
    assert likely_separator(["x", "red|blue", "red", "blue"]) == ("|", "red|blue")
    assert likely_separator(["Health, safety", "Sport", "Film"]) is None, "a name with a comma"
    assert likely_separator(["New York, USA", "Boston, USA", "Paris, France"]) is None
    assert likely_separator(["a", "b", ";", "a;"]) is None
