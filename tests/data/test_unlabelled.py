"""Texts without labels, behind the training rows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.batch import collate
from data.duplicates import text_hashes
from data.errors import DataError
from data.inputs.tokenizer import train_tokenizer
from data.load import load_splits
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.stores.build_once import SharedCache
from data.unlabelled import append_unlabelled, load_unlabelled
from tests.data.helpers import split_of_words
from tests.data.inputs.sounds import sound_settings, write_clips


@pytest.mark.parametrize("rows", [None, 7])
def test_unlabelled_rows_follow_the_training_rows(reviews: Path, tmp_path: Path, rows: int | None) -> None:
    splits = load_splits(DataSettings(demo_rows=60), tokenizer="train", vocab_size=200, cache=tmp_path)
    settings = DataSettings(source="files", path=str(reviews), text="review")
    extra = load_unlabelled(settings, splits.tokenizer, rows=rows, cache=tmp_path)
    together, first = append_unlabelled(splits.train, extra.split), len(splits.train)
    assert together.num_unlabelled == len(extra.split) == len(together) - first == (rows or 120)
    np.testing.assert_array_equal(together.known_labels, splits.train.labels.values)
    numbers = np.array([first + 3, 2, first])
    ids = collate(together, numbers).inputs["input_ids"]
    for place, (split, row) in enumerate([(extra.split, 3), (splits.train, 2), (extra.split, 0)]):
        alone = collate(split, np.array([row])).inputs["input_ids"][0]
        np.testing.assert_array_equal(ids[place, : split.lengths[row]], alone)


def test_the_fingerprint_is_that_of_the_texts_in_use(reviews: Path, tmp_path: Path) -> None:
    splits = load_splits(DataSettings(demo_rows=60), tokenizer="train", vocab_size=200, cache=tmp_path)
    settings = DataSettings(source="files", path=str(reviews), text="review")
    prints = [
        load_unlabelled(replace(settings, split_seed=seed), splits.tokenizer, rows=rows, cache=tmp_path).fingerprint
        for rows, seed in [(None, 0), (7, 0), (7, 1), (7, 0)]
    ]
    assert len(set(prints)) == 3 and prints[1] == prints[3]


@pytest.mark.parametrize("values", [[1, 0, 0], [[1, 4], [0, 3], [0, 4]]])
def test_texts_become_words_where_the_training_rows_are_words(tmp_path: Path, values: list[Any]) -> None:
    tokenizer = train_tokenizer(["red green"] * 3, 40)
    train = split_of_words(tokenizer, [["red", "green"], ["red"]], values)
    (tmp_path / "more.csv").write_text("text\ngreen red green\nred\n", encoding="utf-8")
    wanted = DataSettings(source="files", path=str(tmp_path / "more.csv"), tokens="tokens", tags="tags", max_length=8)
    extra = load_unlabelled(wanted, tokenizer, rows=None, cache=tmp_path, like=train)
    together = append_unlabelled(train, extra.split)
    batch = collate(together, np.array([2, 0, 3]))
    found = batch.inputs["input_ids"].reshape(-1)[batch.inputs["places"]]
    assert [tokenizer.tokens()[token] for token in found] == ["green", "red", "green", "red", "green", "red"]
    known = together.has_label(batch.rows)
    assert known is not None and known.tolist() == [False] * 3 + [True] * 2 + [False]
    assert batch.targets["labels"][3:5].tolist() == values[:2] and not batch.targets["labels"][:3].any()
    assert together.known_labels.tolist() == values and together.tokens.dtype == train.tokens.dtype


def test_texts_of_held_out_rows_are_left_out_and_counted(reviews: Path, tmp_path: Path) -> None:
    settings = DataSettings(source="files", path=str(reviews), text="review", label="stars")
    splits = load_splits(settings, tokenizer="train", vocab_size=200, cache=tmp_path)
    load = partial(load_unlabelled, settings, splits.tokenizer, cache=tmp_path)
    every = load(rows=None, reported=splits.text_hashes)
    assert every.left_out == 0 and len(every.split) == 120 and sum(every.reported.values()) > 0
    held_out = len(splits.select) + sum(map(len, splits.report))
    found = load(rows=None, reported=splits.text_hashes, held_out=splits.held_out_hashes)
    assert found.left_out == held_out and len(found.split) == 120 - held_out
    assert not any(found.reported.values()) and found.fingerprint != every.fingerprint
    assert len(load(rows=5, held_out=splits.held_out_hashes).split) == 5
    cache = SharedCache(tmp_path)
    raw = read_raw(settings, cache).splits["train"]
    everything = {"test": text_hashes(raw, raw.fingerprint(), cache)}
    with pytest.raises(DataError, match="all 120 unlabelled texts are texts of test"):
        load(rows=None, held_out=everything)


def test_sounds_without_labels_become_frames(tmp_path: Path) -> None:
    clips = write_clips(tmp_path)
    settings = sound_settings(clips)
    splits = load_splits(settings, tokenizer="mfcc", vocab_size=0, cache=tmp_path / "cache")
    extra = load_unlabelled(replace(settings, missing="refuse"), splits.tokenizer, rows=None, cache=tmp_path / "cache")
    together = append_unlabelled(splits.train, extra.split)
    batch = collate(together, np.array([0, len(splits.train)]))
    assert together.num_unlabelled == len(extra.split) > 0 and batch.inputs


COLUMNS = {"labels": ["pos", "neg"], "codes": "code", "fold_column": "part", "group": "customer", "label": "stars"}


@pytest.mark.parametrize("key", COLUMNS)
def test_texts_are_read_without_the_other_columns_of_the_data(tmp_path: Path, key: str) -> None:
    tokenizer = train_tokenizer(["red green"] * 3, 40)
    (tmp_path / "more.csv").write_text("text\ngreen red green\nred\n", encoding="utf-8")
    settings = replace(DataSettings(source="files", path=str(tmp_path / "more.csv")), **{key: COLUMNS[key]}, fold="0")
    assert len(load_unlabelled(settings, tokenizer, rows=None, cache=tmp_path).split) == 2
