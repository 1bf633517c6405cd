"""A finished run of a tiny encoder, made once, and a made-up treebank that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from data.stores.build_once import SharedCache
from runner.probing.probed import Probed, open_probed
from runner.probing.treebanks.treebank import Treebank, read_treebank
from runner.probing.wanted import LAYER_0, Wanted
from runner.record.folder import read_all_records
from runner.record.subject import Subject
from tests.conftest import run_cli
from tests.runner.probing.treebanks.made import write_treebank

SIZES = ("model.layers=2", "model.hidden=16", "model.heads=2", "model.intermediate=32", "model.vocab_size=300")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `outputs`, which has one run, and `cache`."""
    root = tmp_path_factory.mktemp("probing")
    done = run_cli(
        "model=bert-tiny", *SIZES, "model.tokenizer=train", "data=demo", "data.demo_rows=400", "train.steps=2",
        "measure=off", "baseline.ngram=off", "tracker=none", f"paths.cache={root / 'cache'}", cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="session")
def run_id(place: Path) -> str:
    """The id of that run."""
    (record,) = read_all_records(place / "outputs")[0]
    return record.identity


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
