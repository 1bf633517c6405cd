"""The pseudo-log-likelihood of sentences under a masked language model, in batches of copies of one length.

PLL(x) = sum over i of log p(t_i | x without t_i): each piece is masked in a copy of the sentence and predicted among
all pieces of the vocabulary. Source: Salazar et al. 2020 (arXiv 1910.14659); `word_l2r` and `word`: Kauf & Ivanova 2023
(arXiv 2305.10588), section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from runner.minimal_pairs.sentences import Sentences

# Tokens of one forward pass, without padding: bert-tiny's states of 4,096 tokens fit in a core's cache.
TOKENS = 4096


class MaskedModel(Protocol):
    """Predicts how likely pieces are at positions of masked sentences."""

    def __call__(self, ids: np.ndarray, places: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        """Return log p, (N,), of `pieces` (N,) at `places` (N,) of the flattened `ids` (B, T), in nats."""


class Copies(NamedTuple):
    """Masked copies of sentences of one length; an item is a piece that is predicted in one of them."""

    of: np.ndarray  # (copies,) the sentence
    first: np.ndarray  # (copies,) the piece that it is for; for `word` the first piece of the word
    item_copy: np.ndarray  # (items,) rising
    item_piece: np.ndarray  # (items,)


def sentence_scores(
    sentences: Sentences, model: MaskedModel, score: str, *, tokens: int = TOKENS,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray:  # fmt: skip
    """Return the score of each sentence, (sentences,) float64, in nats.

    score: of SCORES. tokens: most in one forward pass, but one copy at least. tell: called with the number of pieces
    scored so far, and of all. Equal sentences are computed once. A sentence without pieces has the score 0.
    """
    lengths, scores = sentences.lengths, np.zeros(len(sentences.pieces))
    groups = [(length, np.flatnonzero(lengths == length)) for length in np.unique(lengths) if length]
    total, done = int(lengths.sum()), 0
    for length, rows in groups:
        pieces = np.stack([sentences.pieces[row] for row in rows])
        words = np.stack([sentences.words[row] for row in rows])
        distinct, back = np.unique(np.concatenate([pieces, words], axis=1), axis=0, return_inverse=True)
        share = len(rows) / len(distinct)
        found = np.zeros(len(distinct))
        for part, values in _parts(distinct[:, :length], distinct[:, length:], sentences, model, score, tokens):
            np.add.at(found, part, values)
            done += round(len(values) * share)
            tell(min(done, total), total)
        scores[rows] = found[back.reshape(-1)]
    return scores / np.maximum(lengths, 1) if score == "mean" else scores


def _parts(
    pieces: np.ndarray, words: np.ndarray, sentences: Sentences, model: MaskedModel, score: str, tokens: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the sentence and the log probability of each item, one forward pass at a time."""
    before, after = sentences.frame.before, sentences.frame.after
    around = [np.broadcast_to(special, (len(pieces), len(special))) for special in (before, after)]
    rows = np.concatenate([around[0], pieces, around[1]], axis=1)
    copies, width = copies_of(words, score), rows.shape[1]
    size = max(1, tokens // width)
    for start in range(0, len(copies.of), size):
        part = slice(start, start + size)
        of, first = copies.of[part], copies.first[part]
        ids = rows[of].copy()
        ids[:, len(before) : len(before) + pieces.shape[1]][hidden_with(words[of], first, score)] = sentences.mask_id
        items = slice(*np.searchsorted(copies.item_copy, [start, start + len(of)]))
        copy, piece = copies.item_copy[items] - start, copies.item_piece[items]
        yield of[copy], model(ids, copy * width + len(before) + piece, pieces[of[copy], piece])


def copies_of(words: np.ndarray, score: str) -> Copies:
    """Return the copies that sentences of one length need; words: (sentences, n) the number of each piece's word."""
    count, length = words.shape
    of, piece = np.divmod(np.arange(count * length), length)
    if score != "word":
        return Copies(of, piece, np.arange(count * length), piece)
    begins = np.ones_like(words, bool)
    begins[:, 1:] = words[:, 1:] != words[:, :-1]
    chosen = begins.reshape(-1)
    return Copies(of[chosen], piece[chosen], np.cumsum(chosen) - 1, piece)


def hidden_with(words: np.ndarray, piece: np.ndarray, score: str) -> np.ndarray:
    """Return which pieces are masked when one is predicted, (copies, n) bool.

    words: (copies, n) the number of each piece's word; piece: (copies,) the one that is predicted.
    """
    places = np.arange(words.shape[1])
    if score not in ("word_l2r", "word"):
        return np.asarray(places == piece[:, None])
    same = words == np.take_along_axis(words, piece[:, None], axis=1)
    return np.asarray(same if score == "word" else same & (places >= piece[:, None]))
