"""The temporary name under which a file is written before it is renamed, so that readers never see half of it."""

from __future__ import annotations

import os
from pathlib import Path


def part_of(path: Path) -> Path:
    """Return the name beside `path` for its content while it is written: path.<process id>.part.

    Two processes that write the same file at once have different ones, so that their contents do not mix.
    """
    return path.with_name(f"{path.name}.{os.getpid()}.part")
