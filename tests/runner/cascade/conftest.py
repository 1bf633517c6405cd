from __future__ import annotations

from pathlib import Path

import pytest

from tests.runner.cascade.runs import write_pair


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two runs in `outputs` and what is kept of their data in `cache`; not to be changed."""
    folder = tmp_path_factory.mktemp("cascade")
    write_pair(folder / "outputs", folder / "cache")
    return folder
