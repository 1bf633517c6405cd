"""Settings about files that cannot go together, and files that are taken for a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.settings import DataSettings
from runner.config.check_files import file_as_dataset, file_conflicts, hint_of_one_file


@pytest.mark.parametrize(("settings", "said"), [
    ({"source": "hub", "name": "imdb", "path": "a.csv"}, "data=imdb reads no files. Try: data=files data.path=a.csv"),
    ({"source": "files"}, "data=files needs a file"),
    ({"source": "files", "test_path": "t.csv"}, "data=files needs a file"),
    ({"source": "files", "path": "my a.csv", "train_path": "b.csv"}, "Try: run data=files data.train_path=b.csv"),
    ({"source": "files", "path": "a.parquet", "delimiter": ";"}, "data.delimiter=; has no effect on parquet"),
])  # fmt: skip
def test_contradictions_are_one_line_with_the_cure(settings: dict[str, str], said: str) -> None:
    (line,) = file_conflicts(DataSettings(**settings))  # type: ignore[arg-type]
    assert said in line


def test_files_that_fit_together_have_no_conflict() -> None:
    for paths in ({"path": "a.csv"}, {"train_path": "a.csv", "test_path": "t.csv"}, {"queries": "q.tsv"}):
        assert not file_conflicts(DataSettings(source="files", **paths))  # type: ignore[arg-type]
    assert not file_conflicts(DataSettings(source="demo"))


def test_a_file_is_no_dataset() -> None:
    assert "Try: data=files data.path=a/tickets" in str(file_as_dataset("a/tickets"))
    assert "'data.path=\"my tickets.csv\"'" in str(file_as_dataset("my tickets.csv"))
    assert file_as_dataset("sst2") is None


def test_several_values_that_name_one_file(tmp_path: Path) -> None:
    (tmp_path / "a,b.csv").write_text("", encoding="utf-8")
    assert "for the file of that name" in hint_of_one_file("data.path", str(tmp_path / "a,b.csv"))
    assert hint_of_one_file("data.path", "x" * 10_000) == hint_of_one_file("data.path", "a.csv,b.csv") == ""
