"""Decides which tokens encoders read of texts that are longer than data.max_length.

A review's verdict is often at its end, while the first sentences of a news article name its topic. So the labels of the
training rows decide: a linear classifier of the words at the beginning is compared with one of the words at both ends,
which takes a second. The table in sweeps/long_texts.md compares its choices with what encoders gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from data.inputs.truncation import END, MIDDLE
from data.load import Rows
from data.text_facts import find_words, sample_rows, sample_texts
from runner.best.types import Facts

MOST_ROWS = 4000
BUCKETS = 1 << 16  # of hashed words
WORDS_PER_TOKEN = 0.75  # of word pieces; a letter is one token where no spaces separate words
MOST_CLASSES, LEAST_OF_CLASS = 20, 10  # the most frequent classes with so many rows; rows of others are left out
STANDARD_ERRORS = 1.0  # by which both ends must be more accurate: few rows would not show more


def both_ends_tell_more(rows: Rows, facts: Facts, longest: int) -> bool:
    """Is a linear classifier of the training rows better with both ends of the texts than with their beginning?

    longest: data.max_length. False unless 5 % of the texts have more words than that; words are at least as many
    tokens. False too for pairs, and for labels that are not one class each.
    """
    classes = rows.raw.strata("train")
    if facts.tokens_p95 <= longest or facts.is_pair or classes is None:
        return False
    train = rows.raw.splits["train"]
    sampled = classes[sample_rows(len(train), MOST_ROWS)]
    sizes = np.bincount(sampled)
    frequent = np.argsort(-sizes, kind="stable")[:MOST_CLASSES]
    is_common = np.isin(sampled, frequent[sizes[frequent] >= LEAST_OF_CLASS])
    if len(np.unique(sampled[is_common])) < 2:
        return False
    texts = [find_words(text) for text, is_used in zip(sample_texts(train, MOST_ROWS), is_common) if is_used]
    tokens = texts if facts.has_spaces else [list("".join(words)) for words in texts]
    kept = int(longest * WORDS_PER_TOKEN) if facts.has_spaces else longest
    right = {way: _right(tokens, sampled[is_common], way, kept) for way in (END, MIDDLE)}
    gain = right[MIDDLE] - right[END]
    return bool(gain.mean() > STANDARD_ERRORS * gain.std() / len(gain) ** 0.5)


def _right(texts: list[list[str]], classes: np.ndarray, truncate: str, longest: int) -> np.ndarray:
    """Return for each text whether a linear classifier of the other four folds is right, (texts,) float64."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.svm import LinearSVC

    hashed = HashingVectorizer(
        analyzer=partial(_read, truncate, longest), n_features=BUCKETS, binary=True, alternate_sign=False
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(LinearSVC(C=0.3, random_state=0), hashed.transform(texts), classes, cv=folds)
    return (found == classes).astype(np.float64)


def _read(truncate: str, longest: int, words: Sequence[str]) -> Sequence[str]:
    """Return the words that remain of a text."""
    if len(words) <= longest:
        return words
    kept = longest // 2 if truncate == MIDDLE else 0
    return [*words[: longest - kept], *words[len(words) - kept :]]
