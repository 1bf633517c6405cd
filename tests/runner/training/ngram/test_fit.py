"""A fitted model: above the majority where labels mean something, no larger than it may be, the same in the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.build import build
from models.packed.ngram import table_of
from runner.training.inference import predict
from runner.training.ngram.fit import FittedNgrams, fit_ngrams, put_into
from tests.runner.training.ngram.rows import SETTINGS, review_splits


def accuracy(classes: int = 2, *, shuffled: bool = False, **changes: object) -> tuple[float, FittedNgrams]:
    """The accuracy on reported rows of the network, and the fit behind it."""
    splits, task = review_splits(classes, shuffled=shuffled)
    settings = replace(SETTINGS, **changes)
    found = fit_ngrams(splits, task, settings)
    network, _ = build(settings, task.head(), vocab_size=1 << 32)
    put_into(network, found)
    table = table_of(network)
    assert np.array_equal(table.rows, found.table.rows) and np.allclose(table.scale, found.table.scale, rtol=1e-5)
    kept = predict(network, splits.report[0], batch_size=64, device=torch.device("cpu"), precision="fp32")
    return float((kept.argmax(1) == np.asarray(splits.report[0].labels.values)).mean()), found


@pytest.mark.parametrize("classes", [2, 3])
def test_it_beats_the_majority(classes: int) -> None:
    found, fit = accuracy(classes)
    assert found > 1 / classes + 0.25 and "n-grams kept" in fit.sentence()


def test_on_shuffled_labels_it_does_not() -> None:
    assert abs(accuracy(shuffled=True)[0] - 0.5) < 3 * np.sqrt(0.25 / 400)


def test_a_file_is_no_larger_than_it_may_be() -> None:
    whole = accuracy()[1].bytes_packed
    found, fit = accuracy(max_kb=1)
    assert fit.bytes_packed <= 1000 < whole and found > 0.75


@pytest.mark.parametrize("weighting", ["nb", "presence", "tfidf"])
def test_every_weighting_can_be_asked_for(weighting: str) -> None:
    found, fit = accuracy(weighting=weighting, n=1)
    assert found > 0.75 and fit.choice.weighting == weighting and fit.table.n == 1
