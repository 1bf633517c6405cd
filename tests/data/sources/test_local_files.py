"""Files that the settings name but that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.local_files import require_files

KEYS = ("path", "train_path", "val_path", "test_path", "queries", "corpus", "qrels", "candidates", "calibration")


@pytest.mark.parametrize("key", KEYS)
def test_each_missing_file_is_named_by_its_setting(tmp_path: Path, key: str) -> None:
    settings = DataSettings(name="files", source="files", **{key: str(tmp_path / "rows.csv")})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=f"data.{key}=.*rows.csv: no such file"):
        require_files(settings)
    (tmp_path / "rows.csv").write_text("text,label\na,1\n", encoding="utf-8")
    require_files(settings)
