"""The temporary name under which a file is written before it is renamed, so that readers never see half of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def part_of(path: Path) -> Path:
    """Return the name beside `path` for its content while it is written: path.<process id>.part.

    Two processes that write the same file at once have different ones, so that their contents do not mix.
    """
    return path.with_name(f"{path.name}.{os.getpid()}.part")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield the name to write a file's content to. It becomes `path` at the end of the block.

    After an error or Ctrl-C the partial file is removed: nothing else would do that, and a full disk needs the space.
    """
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
