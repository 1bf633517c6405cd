"""Micro F1 by sentence has the mean of scikit-learn's, and the error of a bootstrap of sentences."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from runner.probing.edges.micro_f1 import f1_by_sentence, f1_interval


def test_the_mean_is_micro_f1_and_its_error_is_that_of_a_bootstrap() -> None:
    generator = np.random.default_rng(0)
    sentences = np.repeat(np.arange(80), generator.integers(1, 9, 80))
    labels = (generator.random((len(sentences), 4)) < 0.3).astype(np.float32)
    answers = np.stack([np.where(generator.random(labels.shape) < share, labels > 0, False) for share in (0.9, 0.5)])
    found = f1_by_sentence(answers, labels, sentences)
    assert found.shape == (2, 80)
    for values, answer in zip(found, answers):
        assert values.mean() == pytest.approx(f1_score(labels > 0, answer, average="micro"))
    draws = []
    for _ in range(500):
        drawn = [np.flatnonzero(sentences == one) for one in generator.integers(0, 80, 80)]
        rows = np.concatenate(drawn)
        draws.append(f1_score(labels[rows] > 0, answers[1][rows], average="micro"))
    assert found[1].std(ddof=1) / 80**0.5 == pytest.approx(np.std(draws), rel=0.15)
    low, high = f1_interval(found[1:])
    assert low < np.percentile(draws, 5) and np.percentile(draws, 95) < high


def test_seeds_that_differ_widen_the_interval() -> None:
    values = np.stack([np.full(50, 0.6), np.full(50, 0.8)])
    assert f1_interval(values) == (0.0, 1.0), "two seeds say little, but no F1 lies outside"


def test_labels_that_are_all_right_in_few_sentences_have_an_interval() -> None:
    labels = np.ones((12, 1), np.float32)
    found = f1_by_sentence(labels[None] > 0, labels, np.repeat(np.arange(6), 2))
    low, high = f1_interval(found)
    assert 0.5 < low < 0.7 and high == 1.0
    low, high = f1_interval(f1_by_sentence(labels[None] < 0, labels, np.repeat(np.arange(6), 2)))
    assert low == 0.0 and 0.3 < high < 0.5
