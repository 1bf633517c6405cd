"""A masked language model that has learned agreement, and the pairs that it did not see: made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.record.folder import read_all_records
from tests.conftest import run_cli
from tests.runner.minimal_pairs.toys import agreeing, pairs_file, saved, taught, toy_network, toy_tokenizer


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trained model."""
    tokenizer = toy_tokenizer()
    network = taught(toy_network(tokenizer), tokenizer, agreeing()[0], steps=150)
    return saved(network, tokenizer, tmp_path_factory.mktemp("learned") / "model")


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with random weights."""
    return saved(toy_network(toy_tokenizer(), seed=1), toy_tokenizer(), tmp_path_factory.mktemp("untrained") / "model")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of held-out pairs."""
    return pairs_file(tmp_path_factory.mktemp("pairs") / "agreement.csv", agreeing()[1])


@pytest.fixture(scope="session")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one finished run of task=mlm, of one step."""
    root = tmp_path_factory.mktemp("runs")
    done = run_cli(
        "task=mlm", "model=bert-tiny", "model.layers=1", "model.hidden=32", "model.heads=2", "model.tokenizer=train",
        "model.vocab_size=400", "data=demo", "data.demo_rows=300", "train.steps=1", "tracker=none",
        f"paths.cache={root / 'cache'}", cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return root / "outputs"


@pytest.fixture
def run_id(output: Path) -> str:
    """The id of the run that learned words."""
    (record,) = read_all_records(output)[0]
    return record.identity
