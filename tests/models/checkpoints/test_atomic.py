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


def test_a_folder_that_another_process_writes_meanwhile_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, others, plain = tmp_path / "bundle", list[Path](), Path.replace
    (folder / "before").mkdir(parents=True)

    def replace(path: Path, target: Path) -> Path:
        if path.suffix == ".part" and not others:  # the old folder is away, the new one not yet there
            others.append(folder / "of another process")
            others[0].mkdir(parents=True)
        return plain(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with written_atomically(folder) as part:
        (part / "mine").touch()
    assert others and list(folder.iterdir()) == [folder / "mine"] and list(tmp_path.iterdir()) == [folder]
