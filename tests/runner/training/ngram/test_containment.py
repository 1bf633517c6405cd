"""Rows that are part of another split's rows, and which rows are left to choose by."""

from __future__ import annotations

import numpy as np

from data.splits import TokenSplit
from runner.training.ngram.containment import choosing_rows, contained_rows
from tests.runner.training.ngram.rows import NOUNS, split_of_texts


def split(*texts: str) -> TokenSplit:
    return split_of_texts(texts, [place % 2 for place in range(len(texts))])


def test_a_row_is_contained_where_its_words_stand_side_by_side() -> None:
    phrases = split("a good film", "Good film", "good a", "film about", "a good film about dogs !", "cats", "")
    sentences = split("it is a good film", "about dogs", "a good film about dogs!")
    assert contained_rows(phrases, sentences).tolist() == [True, True, False, True, True, False, False]


def test_containment_agrees_with_a_search_in_texts() -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(NOUNS[:4], random.integers(1, 9))) for _ in range(290)]
    texts[200:200] = [" ".join(random.choice(NOUNS, 40)) for _ in range(10)]  # longer than the first places
    texts[:5] = [" ".join(text.split()[2 : 39 - place]) for place, text in enumerate(texts[200:205])]
    texts[5] = texts[4] + " " + NOUNS[0]
    found = contained_rows(split(*texts[:200]), split(*texts[200:]))
    expected = [any(f" {text} " in f" {other} " for other in texts[200:]) for text in texts[:200]]
    assert found.tolist() == expected and 0 < sum(expected) < 200


def test_only_whole_pairs_are_contained() -> None:
    one, other = split("a b", "c d"), split("a b", "c d e")
    for part, starts in ((one, [1, 1]), (other, [1, 1])):
        part.segment_starts = np.array(starts)
    assert contained_rows(one, other).tolist() == [True, False]


def test_phrases_of_training_sentences_do_not_choose() -> None:
    random = np.random.default_rng(0)
    sentences = [" ".join(random.choice(NOUNS, 8)) for _ in range(900)]
    train = split(*sentences[:400], *(" ".join(text.split()[:3]) for text in sentences[400:450]))
    select = split(*sentences[400:900], *(" ".join(text.split()[2:6]) for text in sentences[:100]))
    found = choosing_rows(train, select)
    assert found.select.tolist() == [True] * 500 + [False] * 100
    assert found.train.tolist() == [True] * 400 + [False] * 50


def test_all_rows_choose_where_too_few_are_new() -> None:
    train = split(*(f"{noun} {noun} x" for noun in NOUNS))
    found = choosing_rows(train, split(*NOUNS))
    assert found.select.all() and found.train.all()
