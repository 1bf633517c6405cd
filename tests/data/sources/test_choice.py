"""Files are looked at before any run, as far as the settings say what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.choice import check_files, read_raw
from data.stores.build_once import SharedCache


def files(path: Path, **options: object) -> DataSettings:
    """Settings of a table of texts."""
    return DataSettings(name="files", source="files", path=str(path), **options)  # type: ignore[arg-type]


def test_a_table_without_its_columns_is_refused_as_when_it_is_read(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("review,stars\ngood,1\nbad,0\n", encoding="utf-8")
    with pytest.raises(DataError) as checked:
        check_files(files(table))
    with pytest.raises(DataError) as read:
        read_raw(files(table), SharedCache(tmp_path / "cache"))
    assert str(checked.value) == str(read.value)
    check_files(files(table, text="review", label="stars"))


def test_only_the_first_row_of_a_table_is_read(tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("text,label\n" + "fine,1\n" * 100_000 + "one cell too many,1,2\n", encoding="utf-8")
    check_files(files(table))
    with pytest.raises(DataError, match="line 100002"):
        read_raw(files(table), SharedCache(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("target", "options"), [("tags", {}), ("span", {}), ("relevance", {"queries": "queries.tsv"})], ids=str
)
def test_the_columns_of_other_tasks_are_left_to_their_readers(
    target: str, options: dict[str, str], tmp_path: Path
) -> None:
    for name in ("rows.jsonl", "queries.tsv"):
        (tmp_path / name).write_text('{"words": []}\n', encoding="utf-8")
    own = {key: str(tmp_path / value) for key, value in options.items()}
    check_files(files(tmp_path / "rows.jsonl", **own), target)


def test_built_in_data_have_no_files() -> None:
    check_files(DataSettings(name="demo", source="demo"))
