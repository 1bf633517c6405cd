"""Depths, distances and spanning trees of small trees, by hand and by their definitions."""

from __future__ import annotations

import numpy as np

from runner.probing.treebanks.tree import chain, depths, distances, edges, is_no_punctuation, spanning_tree
from tests.runner.probing.treebanks.made import random_heads

HEADS = (1, -1, 1, 4, 2)  # 0 and 2 hang on the root 1, 4 on 2, 3 on 4
ALL = np.ones(5, bool)


def test_depths_and_distances_count_edges() -> None:
    assert depths(HEADS).tolist() == [1, 0, 1, 3, 2]
    assert distances(HEADS).tolist() == [
        [0, 1, 2, 4, 3],
        [1, 0, 1, 3, 2],
        [2, 1, 0, 2, 1],
        [4, 3, 2, 0, 1],
        [3, 2, 1, 1, 0],
    ]


def test_the_spanning_tree_of_a_tree_s_distances_is_the_tree() -> None:
    generator = np.random.default_rng(0)
    for words in range(1, 20):
        heads, kept = random_heads(words, generator), np.ones(words, bool)
        assert spanning_tree(distances(heads), kept) == edges(heads, kept)
        assert distances(heads)[heads.index(-1)].tolist() == depths(heads).tolist()


def test_punctuation_is_in_no_edge() -> None:
    kept = is_no_punctuation(("NOUN", "VERB", "PUNCT", "X", "_"))
    assert kept.tolist() == [True, True, False, True, True]
    assert edges(HEADS, kept) == {(0, 1), (3, 4)}
    assert spanning_tree(distances(HEADS), kept) == {(0, 1), (1, 4), (3, 4)}
    assert chain(kept) == {(0, 1), (1, 3), (3, 4)} and len(chain(ALL)) == 4
    assert spanning_tree(np.zeros((5, 5)), np.arange(5) == 2) == set()
