"""Folders and files that are written completely or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_atomically(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to write to. It replaces `folder` at the end of the block; after an error it is removed."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        _swap(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file and its folder. Processes that write it at once have different parts, which do not mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _swap(part: Path, folder: Path) -> None:
    """Replace `folder` by `part`; the old folder is removed only after the new one is in place."""
    older = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(older, ignore_errors=True)
    if folder.exists():
        folder.replace(older)
    try:
        part.replace(folder)
    except OSError:
        if older.exists():
            older.replace(folder)
        raise
    shutil.rmtree(older, ignore_errors=True)
