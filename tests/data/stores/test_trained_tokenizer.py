"""Tokenizers that are trained: once for the same rows, again when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from data.labels import Labels
from data.sources.raw import RawSplit
from data.stores.build_once import SharedCache
from data.stores.trained_tokenizer import TOKENIZER, open_or_train_tokenizer

TEXTS = ["the film was fine", "the film was poor", "another fine film"] * 5
TRAIN = RawSplit(pa.table({"text": TEXTS}), Labels(np.arange(15) % 2), np.arange(15), np.arange(1, 16))


def trained(folder: Path, told: list[str], vocab_size: int = 60, fingerprint: str = "a" * 64) -> str:
    return open_or_train_tokenizer(
        "train", vocab_size, TRAIN, fingerprint, SharedCache(folder, told.append)
    ).fingerprint


def test_the_same_rows_are_trained_on_once(tmp_path: Path) -> None:
    told = list[str]()
    assert trained(tmp_path, told) == trained(tmp_path, told) and told == ["training a vocabulary of 60 tokens"]
    trained(tmp_path, told, vocab_size=50)
    trained(tmp_path, told, fingerprint="b" * 64)
    assert len(told) == 3


def test_a_damaged_tokenizer_is_trained_again(tmp_path: Path) -> None:
    told = list[str]()
    first = trained(tmp_path, told)
    (path,) = tmp_path.glob(f"tokenizers/*/{TOKENIZER}")
    path.write_text("{}", encoding="utf-8")
    assert trained(tmp_path, told) == first and "is damaged; training it again" in told[1]


def test_a_named_tokenizer_is_loaded_not_trained(tmp_path: Path) -> None:
    told = list[str]()
    made = open_or_train_tokenizer("train", 60, TRAIN, "a" * 64, SharedCache(tmp_path))
    made.save(tmp_path / "own")
    found = open_or_train_tokenizer(str(tmp_path / "own"), 0, TRAIN, "", SharedCache(tmp_path, told.append))
    assert found.tokens() == made.tokens() and not told
