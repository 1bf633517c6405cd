"""A made-up treebank and a tiny encoder that reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from data.stores.build_once import SharedCache
from runner.probing.probed import Probed, open_probed
from runner.probing.treebanks.treebank import Treebank, read_treebank
from runner.probing.wanted import LAYER_0, Wanted
from runner.record.subject import Subject
from tests.runner.probing.treebanks.made import write_treebank


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its files."""
    return write_treebank(tmp_path_factory.mktemp("treebank") / "ud")


@pytest.fixture(scope="session")
def treebank(folder: Path) -> Treebank:
    """Sixty sentences to train, 25 to select and 25 to report."""
    return read_treebank(str(folder))


@pytest.fixture(scope="session")
def probed(place: Path, run_id: str) -> Probed:
    """The tiny encoder."""
    wanted = Wanted(("pos",), ("mean",), None, "linear", (0,), False, True, False, LAYER_0, 1, "cpu")
    model = str(place / "outputs" / run_id / "model")
    return open_probed(Subject(model, "tiny"), wanted, SharedCache(place / "cache"), torch.device("cpu"))
