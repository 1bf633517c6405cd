"""Columns of 0 and 1, one a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.sources.indicators import labels_of_row
from data.sources.raw import RawData
from data.stores.build_once import SharedCache

ROWS = "text,anger,joy\n" + "".join(f"text {n},{n % 2},{int(n % 3 == 0)}\n" for n in range(12))


def read(folder: Path, content: str, labels: list[str]) -> RawData:
    path = folder / "tags.csv"
    path.write_text(content, encoding="utf-8")
    settings: Any = DataSettings(source="files", path=str(path), labels=labels)
    return read_raw(settings, SharedCache(folder / "cache"))


def test_each_column_is_a_label_in_the_order_of_the_setting(tmp_path: Path) -> None:
    raw = read(tmp_path, ROWS, ["joy", "anger"])
    assert raw.target.names == ("joy", "anger")
    assert raw.splits["train"].labels.values[:3].tolist() == [[1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "1.0", "true", "True "])
def test_a_label_is_set_however_a_file_writes_it(value: object) -> None:
    assert labels_of_row({"joy": value}, ["joy"], "row 1") == ["joy"]


@pytest.mark.parametrize("value", ["2", "yes", "", None, 0.5])
def test_other_values_are_refused_with_their_row(value: object) -> None:
    with pytest.raises(DataError, match=r"row 7: the column 'joy' holds .*needs 0 or 1"):
        labels_of_row({"joy": value}, ["joy"], "row 7")


def test_the_first_wrong_row_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tags.csv row 14: the column 'anger' holds '3'"):
        read(tmp_path, ROWS + "text 12,3,0\n", ["joy", "anger"])


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"names 'fear', but there is no such column \(columns: text, anger, joy\)"):
        read(tmp_path, ROWS, ["joy", "fear"])
