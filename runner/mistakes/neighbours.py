"""Training rows that are near some texts: what the model may have gone by, and copies across splits.

Near is the cosine of TF-IDF vectors of words, which finds related texts; a copy is an equal or almost equal text, as
`data/near_repeats.py` defines it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.near_repeats import near_pairs, plain_texts

LETTERS = 1000  # of a text, which are compared: 25,000 reviews then take about two seconds
LEAST = 0.15  # cosine below which texts share little but everyday words
LOOKED_UP = 2000  # rows whose near copies are looked for, evenly spaced
MOST_LETTERS = 4_000_000  # of the training texts that they are compared with: about half a second


@dataclass(frozen=True)
class Neighbour:
    """A training row near a text: its number among the training rows, and the cosine."""

    row: int
    similarity: float


@dataclass(frozen=True)
class NearCopies:
    """Rows with an almost equal text in train, among those that were looked up."""

    rows: np.ndarray  # (pairs,) of the split, the most similar first
    train_rows: np.ndarray  # (pairs,)
    similarity: np.ndarray  # (pairs,)
    looked_up: int
    compared_with: int


def nearest(train: Sequence[str], texts: Sequence[str], most: int = 3) -> list[list[Neighbour]]:
    """Return of each text its nearest training rows, at most `most`, the nearest first."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not train or not texts:
        return [[] for _ in texts]
    # Only words of the texts asked for can make a product, but all words count in the length of a vector.
    vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", dtype=np.float32)
    try:
        known = vectorizer.fit_transform(text[:LETTERS] for text in train)
    except ValueError:  # no word in any text
        return [[] for _ in texts]
    found = []
    for row in vectorizer.transform(text[:LETTERS] for text in texts):
        cosines = (known @ row.T).toarray()[:, 0]
        near = np.argsort(-cosines, kind="stable")[:most]
        found.append([Neighbour(int(k), float(cosines[k])) for k in near if cosines[k] >= LEAST])
    return found


NO_COPIES = NearCopies(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 0, 0)  # of rows that are no texts


def near_copies(train: Sequence[str], texts: Sequence[str]) -> NearCopies:
    """Return rows whose text is almost, or but for case and punctuation, that of a training row.

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
