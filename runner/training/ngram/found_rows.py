"""Looks up the table rows of n-grams once for all epochs: returns splits whose tokens are row numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.inputs.hashed_words import NO_WORD
from data.inputs.word_cache import spans
from data.splits import Splits, TokenSplit
from models.backbones.ngram_vectors import FOUND
from models.capabilities import Folded
from runner.training.ngram.check import none_frequent
from runner.training.ngram.counting import count_grams, find_known


def keep_frequent(bag: Folded, train: TokenSplit, min_df: int) -> None:
    """Give a backbone a row for each n-gram of at least `min_df` training rows; raise ConfigError if there is none."""
    hashes = count_grams(train, bag.n, min_df).hashes
    if not len(hashes):
        raise none_frequent(min_df, len(train))
    bag.keep(hashes)


def with_found_rows(bag: Folded, splits: Splits) -> Splits:
    """Return splits whose training and selection texts are given as table rows; NO_WORD for a text without any."""
    hashes = bag.hashes.cpu().numpy().astype(np.uint32)
    return replace(
        splits, train=_found(splits.train, bag.n, hashes), select=_found(splits.select, bag.n, hashes)
    )  # fmt: skip


def _found(split: TokenSplit, n: int, hashes: np.ndarray) -> TokenSplit:
    presence = find_known(split, n, hashes).presence.tocsr()
    counts = np.diff(presence.indptr).astype(np.int64)
    lengths = np.maximum(counts, 1)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    tokens = np.full(int(lengths.sum()), NO_WORD, np.int64)
    tokens[spans(offsets[:-1], counts)] = presence.indices.astype(np.int64) + FOUND
    return replace(split, tokens=tokens, offsets=offsets, segment_starts=lengths, truncated=0)
