"""A finished run of a tiny encoder, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.record.folder import read_all_records
from tests.conftest import run_cli

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
