"""The server of a container, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Start server.py of a bundle's folder, without the variables of this process; its address."""
    with subprocess.Popen(
        [sys.executable, "server.py", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"]},
    ) as server:  # fmt: skip
        try:
            assert server.stdout
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()
