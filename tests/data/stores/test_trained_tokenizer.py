"""Tokenizers that are trained: once for the same rows, again when damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.inputs.tokenizer import PieceTokenizer
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
    trained(tmp_path, told, vocab_size=70)
    trained(tmp_path, told, fingerprint="b" * 64)
    assert len(told) == 3


def rows_of(texts: list[str]) -> RawSplit:
    count = len(texts)
    return RawSplit(pa.table({"text": texts}), Labels(np.arange(count) % 2), np.arange(count), np.arange(1, count + 1))


WORDS = [f"{first}{middle}{last}" for first in ("un", "re", "") for middle in ("play", "film") for last in ("ed", "s")]
ENGLISH = [f"{WORDS[i % 12]} {WORDS[i * i % 12]} number {i % 7}" for i in range(60)]  # with many equal counts


@pytest.mark.parametrize(
    ("texts", "sizes", "language", "is_cut"),
    [
        (ENGLISH, (60, 52), None, True),
        (ENGLISH, (9999, 70), None, True),
        (["ışık ve İyi", "ILIK günler ışıldar"] * 8, (70, 50), "tr", True),
        (["我喜欢电影 film", "电影不好 films"] * 8, (40, 30), None, False),
        (ENGLISH, (60, 20), None, False),
    ],
    ids=["equal counts", "all words", "turkish", "ideographs", "too small for the letters"],
)
def test_a_smaller_vocabulary_is_cut_from_a_larger_one_and_is_the_one_that_training_makes(
    texts: list[str], sizes: tuple[int, int], language: str | None, is_cut: bool, tmp_path: Path
) -> None:
    told = list[str]()

    def made(size: int, cache: str) -> str:
        store = SharedCache(tmp_path / cache, told.append)
        found = open_or_train_tokenizer("train", size, rows_of(texts), "a" * 64, store, language=language)
        assert isinstance(found, PieceTokenizer)
        return found.backend.to_str()

    assert made(sizes[1], "alone") != made(sizes[0], "both") and len(told) == 2
    assert made(sizes[1], "both") == made(sizes[1], "alone")
    assert len(told) == (2 if is_cut else 3)


def test_other_rows_or_another_way_of_reading_them_are_not_cut(tmp_path: Path) -> None:
    told = list[str]()
    cache = SharedCache(tmp_path, told.append)
    open_or_train_tokenizer("train", 60, TRAIN, "a" * 64, cache)
    open_or_train_tokenizer("train", 50, TRAIN, "b" * 64, cache)
    open_or_train_tokenizer("train", 50, TRAIN, "a" * 64, cache, language="tr")
    open_or_train_tokenizer("train", 50, TRAIN, "a" * 64, cache, cleaning=("tweets",))
    open_or_train_tokenizer("train", 50, TRAIN, "a" * 64, cache, added=["film"])
    assert len(told) == 5


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
