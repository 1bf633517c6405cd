"""Counting by integers finds what scikit-learn's CountVectorizer finds."""

from __future__ import annotations

import zlib

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from data.inputs.hashed_words import PATTERN
from runner.training.ngram.counting import count_grams, find_known
from tests.runner.training.ngram.rows import review_texts, split_of_texts


def hash_of(gram: str) -> int:
    state = 0
    for word in gram.split(" "):
        state = (state * 0x85EBCA6B + zlib.crc32(word.encode()) + 1) % 2**32
    return state


def test_the_same_ngrams_in_the_same_rows_as_a_count_vectorizer() -> None:
    texts, labels = review_texts(500)
    texts[7:9] = ["Not GOOD, not good!", ""]
    expected = CountVectorizer(binary=True, token_pattern=PATTERN, ngram_range=(1, 2), min_df=2)
    rows = expected.fit_transform(texts)
    order = np.argsort([hash_of(gram) for gram in expected.get_feature_names_out()])
    found = count_grams(split_of_texts(texts, labels), 2, 2)
    assert found.hashes.tolist() == sorted(map(hash_of, expected.get_feature_names_out()))
    assert (found.presence != rows[:, order]).nnz == 0
    assert found.df.tolist() == np.asarray(rows.sum(0)).ravel()[order].tolist()


def test_known_ngrams_are_found_in_another_split() -> None:
    train = count_grams(split_of_texts(["a b", "a c", "b c"], [0, 1, 0]), 2, 1)
    found = find_known(split_of_texts(["a b a b", "d", "c"], [0, 1, 0]), 2, train.hashes)
    wanted = [[hash_of(gram) for gram in grams] for grams in (["a", "b", "a b"], [], ["c"])]
    assert found.presence.toarray().tolist() == [np.isin(train.hashes, row).tolist() for row in wanted]
    assert found.only(np.array([0])).presence.shape == (3, 1) and found.take(np.array([2])).presence.sum() == 1
