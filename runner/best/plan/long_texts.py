"""Decides which tokens encoders read of texts that are longer than data.max_length.

A review's verdict is often at its end, while the first sentences of a news article name its topic. So the labels of the
training rows decide: naive Bayes is fitted to the words at the beginning, and to those at both ends, in a second. The
table in sweeps/recipes.md compares its choice with what encoders gain.
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
STANDARD_ERRORS = 1.0  # by which both ends must be more accurate: few rows would not show more


def both_ends_tell_more(rows: Rows, facts: Facts, longest: int) -> bool:
    """Is naive Bayes on the training rows better with both ends of the texts than with as many words of the beginning?

    longest: data.max_length. False unless 5 % of the texts have more words than that, which are at least as many
    tokens. False too for pairs, and for labels that are not one class each.
    """
    classes = rows.raw.strata("train")
    if facts.tokens_p95 <= longest or facts.is_pair or classes is None:
        return False
    train = rows.raw.splits["train"]
    texts = [find_words(text) for text in sample_texts(train, MOST_ROWS)]
    tokens = texts if facts.has_spaces else [list("".join(words)) for words in texts]
    sampled = classes[sample_rows(len(train), MOST_ROWS)]
    right = {way: _right(tokens, sampled, way, longest) for way in (END, MIDDLE)}
    gain = right[MIDDLE] - right[END]
    return bool(gain.mean() > STANDARD_ERRORS * gain.std() / len(gain) ** 0.5)


def _right(texts: list[list[str]], classes: np.ndarray, truncate: str, longest: int) -> np.ndarray:
    """Return for each text whether naive Bayes is right when fitted to other texts, in five folds, (texts,) float64."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.model_selection import KFold, cross_val_predict
    from sklearn.naive_bayes import MultinomialNB

    hashed = HashingVectorizer(
        analyzer=partial(_read, truncate, longest), n_features=BUCKETS, binary=True, alternate_sign=False, norm=None
    )
    folds = KFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(MultinomialNB(), hashed.transform(texts), classes, cv=folds)
    return (found == classes).astype(np.float64)


def _read(truncate: str, longest: int, words: Sequence[str]) -> Sequence[str]:
    """Return the words that remain of a text."""
    if len(words) <= longest:
        return words
    kept = longest // 2 if truncate == MIDDLE else 0
    return [*words[: longest - kept], *words[len(words) - kept :]]
