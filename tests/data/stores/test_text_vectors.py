"""Stored vectors of texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import train_tokenizer
from data.labels import Labels
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from data.stores.text_vectors import VECTORS, open_text_vectors, text_keys
from tests.data.helpers import split_of_words

PARTS = {"encoder": "a", "texts": "b"}


def test_a_text_has_the_same_key_wherever_it_stands_and_whatever_its_label() -> None:
    tokenizer = train_tokenizer(["red green blue"] * 3, 40)
    split = split_of_words(tokenizer, [["red"], ["green", "blue"], ["red"]], [0, 1, 0, 0])
    first, second, third = text_keys(split)
    assert first == third != second
    np.testing.assert_array_equal(text_keys(split.take(np.array([1, 0]))), [second, first])
    apart = replace(split, segment_starts=np.asarray(split.segment_starts) - 1)
    assert not np.isin(text_keys(apart), text_keys(split)).any(), "two texts are not one"


def test_frames_of_sounds_that_differ_by_less_than_one_have_keys_of_their_own() -> None:
    frames = np.array([[0.25, 0.5], [0.75, 0.5], [0.25, 0.5]], np.float16)
    sounds = TokenSplit(
        "train", frames, np.arange(4), np.ones(3, np.int64), Labels(np.zeros(3, np.int64)), 0, TokenIds(0)
    )  # fmt: skip
    first, second, third = text_keys(sounds)
    assert first == third != second


def test_vectors_are_computed_once_and_again_when_they_are_damaged(tmp_path: Path) -> None:
    made, told = list[int](), list[str]()

    def compute() -> np.ndarray:
        made.append(1)
        return np.eye(3)

    cache = SharedCache(tmp_path, told.append)
    for _ in range(2):
        np.testing.assert_array_equal(open_text_vectors(cache, dict(PARTS), compute), np.eye(3))
    assert len(made) == 1
    open_text_vectors(cache, PARTS | {"texts": "c"}, compute)
    assert len(made) == 2
    for path in tmp_path.rglob(VECTORS):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    np.testing.assert_array_equal(open_text_vectors(cache, dict(PARTS), compute), np.eye(3))
    assert len(made) == 3 and "damaged" in told[0]
