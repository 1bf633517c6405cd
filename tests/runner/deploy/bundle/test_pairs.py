"""The features of pairs in the bundle are those that models are fitted on, and long pairs are cut the same."""

from __future__ import annotations

import numpy as np
import pytest

from data.inputs.word_cache import cut_longest as cut_rows
from models.ngrams.pairs import PairOptions
from models.ngrams.pairs import pair_hashes as own_hashes
from runner.deploy.bundle.pairs import cut_longest, pair_hashes

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_the_same_features_as_in_the_fit(symmetric: bool, cross: bool) -> None:
    words = RANDOM.integers(1, 1 << 32, 90, np.uint32)
    for _ in range(30):
        one, two = (RANDOM.choice(words, RANDOM.integers(0, 70)) for _ in range(2))
        found = pair_hashes(one, two, 3, symmetric, cross)
        assert sorted(found.tolist()) == sorted(own_hashes(one, two, PairOptions(3, symmetric, cross)).tolist())


def test_long_pairs_are_cut_as_in_the_fit() -> None:
    sizes = RANDOM.integers(0, 30, (300, 2))
    kept = cut_rows(sizes[:, 0], sizes[:, 1], 21)
    assert [cut_longest(*map(int, size), 21) for size in sizes] == list(zip(*(part.tolist() for part in kept)))
