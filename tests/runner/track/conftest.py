"""A fresh store for each test: copied, because creating one takes 2 seconds."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.track.connection import MlflowTarget, connect
from runner.track.settings import TrackerSettings
from runner.track.store import ensure_store
from tests.fork_server import fork_server


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    ensure_store(database)
    return database


@pytest.fixture
def output(tmp_path: Path, empty_store: Path) -> Path:
    """An output folder with a store that holds nothing yet."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return tmp_path


@pytest.fixture
def target(output: Path) -> Iterator[MlflowTarget]:
    yield connect(TrackerSettings(), output)


@pytest.fixture
def forked_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helpers be forks of a process that has imported mlflow, in place of new interpreters."""
    monkeypatch.setattr(sys, "executable", fork_server().interpreter)
