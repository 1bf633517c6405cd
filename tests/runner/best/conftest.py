"""The rows of a small generated table, read once for all tests of a search's plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.load import Rows, read_rows
from data.stores.build_once import SharedCache
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.schema import Settings

DEMO = ("data=demo", "data.demo_rows=400", "tracker=none")
PAIRS = ("data=demo-pairs", "data.demo_rows=400", "tracker=none")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> SharedCache:
    return SharedCache(tmp_path_factory.mktemp("plans"))


@pytest.fixture(scope="session")
def demo_rows(shared_cache: SharedCache) -> Rows:
    return read_rows(settings_of(*DEMO).data, shared_cache)


@pytest.fixture(scope="session")
def pair_rows(shared_cache: SharedCache) -> Rows:
    return read_rows(settings_of(*PAIRS).data, shared_cache)


def settings_of(*words: str, cache: Path | None = None) -> Settings:
    return resolve(compose([*words, *([f"paths.cache={cache}"] if cache else [])]))
