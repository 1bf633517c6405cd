"""Data that the tests of this room train on."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits


@pytest.fixture
def splits(reviews: Path, tmp_path: Path) -> Splits:
    """120 reviews of two classes in three splits, with a tokenizer of 120 tokens."""
    settings = DataSettings(source="files", path=str(reviews), text="review", label="stars")
    return load_splits(settings, tokenizer="train", vocab_size=120, cache=tmp_path / "cache")
