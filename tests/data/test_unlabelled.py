"""Texts without labels, behind the training rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.batch import collate
from data.load import load_splits
from data.settings import DataSettings
from data.unlabelled import append_unlabelled, load_unlabelled


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
