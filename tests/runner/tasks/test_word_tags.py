"""The most frequent tag of each word, the baseline of tagging."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.inputs.tokenizer import train_tokenizer
from data.splits import TokenSplit
from runner.tasks.word_tags import most_frequent_tags
from tests.data.helpers import split_of_words

TOKENIZER = train_tokenizer(["ada lin kent"] * 4, 60)


def split(words: list[str], labels: list[int] | np.ndarray) -> TokenSplit:
    made = split_of_words(TOKENIZER, [words], labels)
    return replace(made, labels=replace(made.labels, words=np.array(words)))


def test_each_word_gets_its_most_frequent_tag_and_unseen_words_the_first() -> None:
    train = split(["ada", "ada", "ada", "lin", "kent"], [1, 2, 2, 1, 0])
    found = most_frequent_tags(train, split(["kent", "ada", "lin", "paris"], [0] * 4), [3])
    assert found.tolist() == [[0], [2], [1], [0]]


def test_of_equally_frequent_tags_the_first_one_seen() -> None:
    train = split(["ada", "ada", "lin", "lin"], [2, 1, 1, 2])
    assert most_frequent_tags(train, train, [3]).tolist() == [[2], [2], [1], [1]]


def test_words_are_compared_as_written() -> None:
    train = split(["Ada", "ada"], [1, 2])
    assert most_frequent_tags(train, split(["ada", "Ada", "ADA"], [0] * 3), [3]).tolist() == [[2], [1], [0]]


def test_two_labels_a_word_are_counted_apart() -> None:
    train = split(["ada", "ada", "ada"], np.array([[1, 0], [1, 1], [0, 1]]))
    assert most_frequent_tags(train, split(["ada"], np.array([[0, 0]])), [2, 2]).tolist() == [[1, 1]]
