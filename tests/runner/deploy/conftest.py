from __future__ import annotations

from pathlib import Path

import pytest

from tests.runner.deploy.runs import write_run


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a BERT for texts (aaaa), a bag of words for pairs (bbbb) and a run that failed (cccc)."""
    folder = tmp_path_factory.mktemp("outputs")
    write_run(folder, "aaaa")
    write_run(folder, "bbbb", data="demo-pairs", family="dsn", readout={"name": "mean"})
    write_run(folder, "cccc", status="failed")
    return folder
