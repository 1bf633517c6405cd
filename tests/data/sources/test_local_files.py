"""Files that the settings name but that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.local_files import existing_file, require_files

KEYS = ("path", "train_path", "val_path", "test_path", "queries", "corpus", "qrels", "candidates", "calibration")


@pytest.mark.parametrize("key", KEYS)
def test_each_missing_file_is_named_by_its_setting(tmp_path: Path, key: str) -> None:
    settings = DataSettings(name="files", source="files", **{key: str(tmp_path / "rows.csv")})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=f"data.{key}=.*rows.csv: no such file"):
        require_files(settings)
    (tmp_path / "rows.csv").write_text("text,label\na,1\n", encoding="utf-8")
    require_files(settings)


@pytest.mark.parametrize(
    ("names", "cure"),
    [
        (
            ["train.csv", "dev.csv", "test.csv"],
            "data.train_path={0}/train.csv data.val_path={0}/dev.csv data.test_path=",
        ),
        (["train.csv", "notes.csv"], "data.path={0}/notes.csv"),
        ([], "data.path=<a file>"),
    ],
)
def test_a_folder_is_refused_with_its_files_as_splits_where_their_names_say_so(
    names: list[str], cure: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).write_text("text,label\na,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="is a folder, but a file is needed") as error:
        existing_file(str(tmp_path), "data.path")
    assert f"Try: {cure.format(tmp_path)}" in str(error.value)
