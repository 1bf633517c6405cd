"""The local files that the settings name: found before anything is read, refused with a suggestion."""

from __future__ import annotations

import difflib
from pathlib import Path

from data.calibration import calibration_file
from data.errors import DataError
from data.quoting import shell_setting
from data.settings import DataSettings
from data.sources.columns import FASTTEXT, fasttext_message
from data.sources.formats import begins_with
from data.sources.options import SUFFIXES, UNREAD, format_of, suffix_of

SPLITS = {"train": ("train",), "val": ("val", "valid", "validation", "dev"), "test": ("test",)}  # names of their files


def require_files(settings: DataSettings) -> None:
    """Raise DataError for a file of the rows or of those that calibrate that does not exist."""
    if (calibration := calibration_file(settings)) is not None:
        existing_file(calibration, "data.calibration")
    if settings.source != "files":
        return
    split_files(settings, any_format=True)
    for key in ("queries", "corpus", "qrels", "candidates"):
        if name := vars(settings)[key]:
            existing_file(name, f"data.{key}", any_format=True)


def split_paths(settings: DataSettings) -> dict[str, str]:
    """Return the file of each split that has one, as the settings name it."""
    paths = {"train": settings.train_path or settings.path, "val": settings.val_path, "test": settings.test_path}
    return {name: text for name, text in paths.items() if text is not None}


def split_files(settings: DataSettings, *, any_format: bool = False) -> dict[str, Path]:
    """Return the file of each split that has one; DataError for one that `existing_file` refuses."""
    keys = {"train": "data.path"} if settings.path else {}
    return {
        name: existing_file(text, keys.get(name, f"data.{name}_path"), any_format=any_format)
        for name, text in split_paths(settings).items()
    }


def _named(key: str, files: list[Path]) -> str:
    """Return settings for the files of a folder: one for each split where they are named after splits."""
    splits = {name: path for path in files for name, stems in SPLITS.items() if path.stem in stems}
    if key in ("data.path", "data.train_path") and "train" in splits and len(splits) > 1:
        return " ".join(shell_setting(f"data.{name}_path", str(splits[name])) for name in SPLITS if name in splits)
    return shell_setting(key, str(files[0])) if files else f"{key}=<a file>"


def existing_file(text: str, key: str, *, any_format: bool = False) -> Path:
    """Return the path of a readable file; DataError for a folder, a missing or empty file, or an unknown format.

    any_format: accept any suffix.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        inside = sorted((p for p in path.iterdir() if format_of(p)), key=lambda p: p.name)
        names = ", ".join(p.name for p in inside[:5]) or "none"
        raise DataError(f"{key}={text} is a folder, but a file is needed ({names} in it). Try: {_named(key, inside)}")
    if not path.is_file():
        there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, there, n=1)
        hint = f"; did you mean {path.parent / close[0]}?" if close else "."
        cure = shell_setting(key, str(path.parent / close[0])) if close else f"{key}=<a file>"
        raise DataError(f"{key}={text}: no such file{hint} Try: {cure}")
    if format_of(path) is None and not any_format:
        if begins_with(path, FASTTEXT):
            raise DataError(fasttext_message(str(path)))
        cure = UNREAD.get(suffix_of(path), "Convert or rename it")
        raise DataError(f"{key}={text}: files end in {SUFFIXES}, not {suffix_of(path)!r}. {cure}")
    if path.stat().st_size == 0:
        raise DataError(f"{key}={text} is empty. Try: {key}=<a file with a header and rows>")
    return path
