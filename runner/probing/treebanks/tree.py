"""Distances and depths in a dependency tree, and the spanning tree of a matrix of distances. Only numpy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from data.sources.conllu import ROOT

PUNCTUATION = ("PUNCT", "SYM")  # parts of speech whose words no edge of UUAS touches


def depths(heads: Sequence[int]) -> np.ndarray:
    """Return the number of edges between each word and the root, (n,) int64."""
    found = np.full(len(heads), -1, np.int64)
    found[list(heads).index(ROOT)] = 0
    while (found < 0).any():
        for word, head in enumerate(heads):
            if found[word] < 0 and head != ROOT and found[head] >= 0:
                found[word] = found[head] + 1
    return found


def distances(heads: Sequence[int]) -> np.ndarray:
    """Return the number of edges between any two words, (n, n) int64."""
    found = np.zeros((len(heads), len(heads)), np.int64)
    seen = list[int]()
    for word in np.argsort(depths(heads), kind="stable").tolist():
        if seen:  # a word is one edge farther than its head from all words that are placed
            found[word, seen] = found[seen, word] = found[heads[word], seen] + 1
        seen.append(word)
    return found


def is_no_punctuation(upos: Sequence[str]) -> np.ndarray:
    """Return which words are judged, (n,) bool, by their universal parts of speech."""
    return np.array([pos not in PUNCTUATION for pos in upos])


def edges(heads: Sequence[int], kept: np.ndarray) -> set[tuple[int, int]]:
    """Return the undirected edges between kept words, (smaller, larger); kept: (n,) bool."""
    pairs = [(min(word, head), max(word, head)) for word, head in enumerate(heads) if head != ROOT]
    return {(one, other) for one, other in pairs if kept[one] and kept[other]}


def spanning_tree(weights: np.ndarray, kept: np.ndarray) -> set[tuple[int, int]]:
    """Return the edges of the smallest spanning tree of the kept words, (smaller, larger), by Prim's algorithm.

    weights: (n, n) distances, symmetric; kept: (n,) bool.
    """
    words = np.flatnonzero(kept)
    if len(words) < 2:
        return set()
    own = weights[np.ix_(words, words)].astype(np.float64)
    inside, nearest = np.zeros(len(words), bool), np.zeros(len(words), np.int64)
    inside[0], cost, found = True, own[0].copy(), set[tuple[int, int]]()
    for _ in range(len(words) - 1):
        place = int(np.where(inside, np.inf, cost).argmin())
        pair = words[place], words[nearest[place]]
        found.add((int(min(pair)), int(max(pair))))
        inside[place] = True
        closer = own[place] < cost
        cost, nearest = np.where(closer, own[place], cost), np.where(closer, place, nearest)
    return found


def chain(kept: np.ndarray) -> set[tuple[int, int]]:
    """Return the edges that join each kept word to the next: a tree that uses no knowledge of the sentence."""
    words = np.flatnonzero(kept).tolist()
    return set(itertools.pairwise(words))
