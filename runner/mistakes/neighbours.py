"""Training rows near given texts: what the model may have learned from, and copies across splits.

Nearness is the cosine of TF-IDF vectors of words, which finds related texts; a copy is an equal or near-equal text, as
`data/near_repeats.py` defines it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.near_repeats import near_pairs, plain_texts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LETTERS = 1000  # of a text, which are compared: 25,000 reviews then take about a second
LEAST = 0.15  # cosine below which texts share little but everyday words
LOOKED_UP = 2000  # rows whose near copies are looked for, evenly spaced
MOST_LETTERS = 4_000_000  # of the training texts that they are compared with: about half a second
_words = re.compile(r"\w+").findall


@dataclass(frozen=True)
class Neighbour:
    """A training row near a text: its number among the training rows, and the cosine."""

    row: int
    similarity: float


@dataclass(frozen=True)
class NearCopies:
    """Rows with an almost equal text in train, among those looked up."""

    rows: np.ndarray  # (pairs,) of the split, the most similar first
    train_rows: np.ndarray  # (pairs,)
    similarity: np.ndarray  # (pairs,)
    looked_up: int
    compared_with: int


def nearest(train: Sequence[str], texts: Sequence[str], most: int = 3) -> list[list[Neighbour]]:
    """Return the nearest training rows of each text, at most `most`, nearest first."""
    if not train or not texts:
        return [[] for _ in texts]
    known, asked = _tfidf(train, texts)
    found = []
    for row in (known @ asked.T).T.toarray():
        near = np.argsort(-row, kind="stable")[:most]
        found.append([Neighbour(int(k), float(row[k])) for k in near if row[k] >= LEAST])
    return found


class _Numbers(dict[str, int]):
    """Numbers words in the order in which they are first seen."""

    def __missing__(self, word: str) -> int:
        self[word] = found = len(self)
        return found


def _tfidf(train: Sequence[str], texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
    """Return the unit vectors of training texts and of others; words that are not in train are ignored.

    The weight of a word is (1 + ln(count)) x (ln((1 + texts) / (1 + texts that have it)) + 1), as in scikit-learn's
    TfidfVectorizer with sublinear_tf, which takes more than a second to import.
    """
    numbers = _Numbers()
    known = _counts(train, numbers)
    words = len(numbers)
    asked = _counts(texts, numbers)[:, :words]
    known.resize(len(train), words)
    weights = np.log((1 + len(train)) / (1 + np.bincount(known.indices, minlength=words))) + 1
    for matrix in (known, asked):
        matrix.data = ((1 + np.log(matrix.data)) * weights[matrix.indices]).astype(np.float32)
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        matrix.data /= np.sqrt(np.bincount(rows, matrix.data**2, minlength=matrix.shape[0]))[rows]
    return known, asked


def _counts(texts: Sequence[str], numbers: _Numbers) -> csr_matrix:
    """Return how often each text has each word, (texts, words so far)."""
    from scipy.sparse import csr_matrix

    parts = []
    for text in texts:
        words = _words(text[:LETTERS].lower())
        parts.append(np.fromiter(map(numbers.__getitem__, words), np.int64, len(words)))
    rows, size = np.repeat(np.arange(len(parts)), [len(part) for part in parts]), max(1, len(numbers))
    places, counts = np.unique(rows * size + np.concatenate(parts), return_counts=True)
    starts = np.searchsorted(places, np.arange(len(parts) + 1) * size)
    return csr_matrix((counts.astype(np.float64), places % size, starts), shape=(len(parts), size))


NO_COPIES = NearCopies(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 0, 0)  # of rows that are no texts


def near_copies(train: Sequence[str], texts: Sequence[str]) -> NearCopies:
    """Return rows whose text is almost that of a training row, or the same except for case and punctuation.

    At most LOOKED_UP of the texts are looked up among training texts of MOST_LETTERS.
    """
    mean = max(1.0, float(np.mean([len(text) for text in train[:1000]]))) if train else 1.0
    kept, asked = _spaced(len(train), int(MOST_LETTERS / mean)), _spaced(len(texts), LOOKED_UP)
    plain = plain_texts([*(train[k] for k in kept), *(texts[k] for k in asked)])
    pairs = near_pairs(plain, np.arange(len(kept), len(plain)))
    across = (pairs.first < len(kept)) & (pairs.second >= len(kept))
    first, second = pairs.first[across], pairs.second[across]
    return NearCopies(asked[second - len(kept)], kept[first], pairs.similarity[across], len(asked), len(kept))


def _spaced(rows: int, most: int) -> np.ndarray:
    return (
        np.unique(np.linspace(0, rows - 1, min(most, rows)).round().astype(np.int64)) if rows else np.zeros(0, np.int64)
    )
