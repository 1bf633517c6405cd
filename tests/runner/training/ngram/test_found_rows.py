"""Rows that are looked up once: the same as those of a forward pass over the words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from data.batch import collate
from models.backbones.ngram_vectors import NgramVectors
from runner.errors import ConfigError
from runner.training.inference import to_tensors
from runner.training.ngram.counting import count_grams
from runner.training.ngram.found_rows import keep_frequent, with_found_rows
from tests.runner.training.ngram.rows import review_splits, split_of_texts

CPU = torch.device("cpu")


def test_a_batch_of_rows_gives_the_vectors_of_the_batch_of_words() -> None:
    splits, _ = review_splits()
    bag = NgramVectors(2, 8, 0.0)
    keep_frequent(bag, splits.train, 5)
    assert np.array_equal(bag.hashes.numpy(), count_grams(splits.train, 2, 5).hashes)
    found = with_found_rows(bag, splits)
    for split, looked_up in ((splits.train, found.train), (splits.select, found.select)):
        rows = np.arange(0, len(split), 7)
        expected = bag(**to_tensors(collate(split, rows), CPU))
        torch.testing.assert_close(bag(**to_tensors(collate(looked_up, rows), CPU)), expected)
    assert found.report == splits.report


def test_a_text_without_a_known_ngram_keeps_its_place() -> None:
    splits, _ = review_splits()
    bag = NgramVectors(1, 8, 0.0)
    keep_frequent(bag, splits.train, 5)
    texts = split_of_texts(["good film", "xyzzy", "", "bad"], [0, 1, 0, 1])
    splits.select = texts
    found = with_found_rows(bag, splits).select
    vectors = bag(**to_tensors(collate(found, np.arange(4)), CPU))
    assert found.lengths.tolist() == [1, 1, 1, 1] and vectors.abs().sum(1).bool().tolist() == [True, False, False, True]


def test_no_frequent_ngram_is_refused_with_a_cure() -> None:
    with pytest.raises(ConfigError, match=r"min_df=3: no word is in that many of the 2 .*Try: model.min_df=1"):
        keep_frequent(NgramVectors(2, 8, 0.0), split_of_texts(["a b", "c d"], [0, 1]), 3)
