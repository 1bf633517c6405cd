"""Folders and files that are written completely or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    """Replace `folder` by `part`; the old folder is removed only after a new one is in place."""
    older = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    while True:
        shutil.rmtree(older, ignore_errors=True)
        with suppress(FileNotFoundError):
            folder.replace(older)
        try:
            part.replace(folder)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue  # another process has put its own there meanwhile
            if older.exists():
                older.replace(folder)
            raise
        break
    shutil.rmtree(older, ignore_errors=True)
