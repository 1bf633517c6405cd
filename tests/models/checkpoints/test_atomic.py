"""Folders and files are there whole, or as they were before."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.checkpoints.atomic import write_whole, written_atomically


def test_a_folder_is_replaced_at_the_end_and_kept_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with written_atomically(folder) as part:
        (part / "a").write_text("1")
        assert not folder.exists()
    with pytest.raises(OSError, match="full"), written_atomically(folder) as part:
        (part / "b").write_text("2")
        raise OSError("full")
    assert [path.name for path in folder.iterdir()] == ["a"]
    with written_atomically(folder) as part:
        (part / "c").write_text("3")
    assert [path.name for path in folder.iterdir()] == ["c"] and [*tmp_path.iterdir()] == [folder]


def test_a_file_is_written_with_its_folder_and_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "tables" / "a.json"
    for text in ("{}", '{"ms": 1}'):
        write_whole(path, text)
        assert path.read_text(encoding="utf-8") == text and [*path.parent.iterdir()] == [path]
