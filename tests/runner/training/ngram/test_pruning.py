"""Which weights stay: the order, shared fingerprints, and the size of the real file."""

from __future__ import annotations

import numpy as np

from models.ngrams.fingerprints import fingerprints_of
from models.packed.ngram import pack_ngrams
from runner.training.ngram.pruning import by_importance, make_table, most_that_fit, prune
from runner.training.ngram.solve import Linear

RANDOM = np.random.default_rng(0)
HASHES = np.unique(RANDOM.integers(0, 1 << 32, 5000, np.uint32))
FITTED = Linear(RANDOM.normal(size=(2, len(HASHES))), np.array([0.5, -0.5]))


def test_large_weights_of_frequent_ngrams_come_first() -> None:
    fitted, df = Linear(np.array([[1.0, -3.0, 2.0, 0.1]]), np.zeros(1)), np.array([16, 1, 1, 100])
    assert by_importance(fitted, df).tolist() == [0, 1, 2, 3]
    two = Linear(np.array([[5.0, 1.0], [0.5, -4.0]]), np.zeros(2))
    assert by_importance(two, np.ones(2)).tolist() == [0, 3, 1, 2], "of the first class's weights first"


def test_weights_that_round_to_nothing_have_no_importance() -> None:
    """The largest weight of a class is 127 levels, so half a level is 1 / 254 of it."""
    fitted = Linear(np.array([[1.0, 1.02 / 254, 0.98 / 254, 0.0], [0.0, 0.0, 0.02, -5.0]]), np.zeros(2))
    assert set(by_importance(fitted, np.ones(4)).tolist()) == {0, 1, 6, 7}


def test_an_ngram_keeps_its_weights_for_a_few_classes() -> None:
    whole = Linear(np.array([[5.0, 1.0, 0.1], [0.5, -4.0, 0.2]]), np.array([1.0, 2.0]))
    kept = prune(by_importance(whole, np.ones(3)), 3, whole.weights.shape)
    assert kept.columns.tolist() == [0, 1]
    found = kept.of(whole)
    assert found.weights.tolist() == [[5.0, 1.0], [0.0, -4.0]] and found.bias is whole.bias


def test_of_ngrams_with_one_fingerprint_the_larger_weight_stays() -> None:
    numbers = np.arange(9000, dtype=np.uint32)
    prints = fingerprints_of(numbers, 11)
    both = np.flatnonzero(prints == np.bincount(prints).argmax())[:2].astype(np.uint32)
    table = make_table(Linear(np.array([[0.5, -2.0]]), np.zeros(1)), both, 2)
    assert len(table.prints) == 1 and table.rows.tolist() == [[-127]] and table.bits == 10


def test_ngrams_that_are_rounded_to_nothing_are_left_out() -> None:
    table = make_table(Linear(np.array([[1.0, 0.001, -1.0]]), np.zeros(1)), HASHES[:3], 2)
    assert len(table.prints) == 2 and np.all(np.diff(table.prints.astype(int)) > 0)


def test_the_real_file_is_as_large_as_it_may_be() -> None:
    order = by_importance(FITTED, np.ones(len(HASHES)))
    for most in (3_000, 9_000):
        count = most_that_fit(FITTED, HASHES, order, 2, ["a", "b"], most)
        kept = prune(order, count, FITTED.weights.shape)
        table = make_table(kept.of(FITTED), HASHES[kept.columns], 2)
        assert 0.97 * most < len(pack_ngrams(table, ["a", "b"])) <= most
    assert most_that_fit(FITTED, HASHES, order, 2, ["a", "b"], 10**6) == len(order)
