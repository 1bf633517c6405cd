"""From row numbers to padded arrays, without a Python loop over tokens (about 0.1 ms for 32 short rows)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.splits import TokenSplit


@dataclass
class Batch:
    """Rows, padded to the longest of them."""

    input_ids: np.ndarray  # (B, T) int64
    attention_mask: np.ndarray | None  # (B, T) int64, 1 for real tokens; None when nothing is padded
    token_type_ids: np.ndarray | None  # (B, T) int64, 1 for tokens of the second text; None when there is none
    labels: np.ndarray  # (B,) int64 or float32; with masked words (N,) int64: the ids to guess
    rows: np.ndarray  # (B,) their numbers in the split
    places: np.ndarray | None = None  # (N,) int64: where in the flattened (B, T) the masked words are
    states: np.ndarray | None = None  # (B, T, layers, H), instead of the ids: see data/stores/frozen_states.py


def collate(
    split: TokenSplit, rows: np.ndarray, pad_id: int, lookup: np.ndarray | None = None, epoch: int = 0
) -> Batch:
    """Make the batch of the given rows, in their order.

    lookup: (V,) new id of each token id, padding included, for a model whose word table has another order.
    epoch: which masks to draw, if words are masked.
    """
    if split.masking is not None:
        ids, labels, places = split.masking.hide(split, rows, epoch)
        return Batch(ids, None, None, labels, rows, places)
    kept = split.frozen_states
    index, real = padded_index(split.offsets if kept is None else kept.offsets, rows)
    if kept is not None:
        mask = None if real.all() else real.astype(np.int64)
        none = np.zeros((len(rows), 0), np.int64)
        return Batch(none, mask, None, np.asarray(split.labels[rows]), rows, states=np.asarray(kept.values)[index])
    places = np.arange(index.shape[1])
    ids = np.asarray(split.tokens)[index].astype(np.int64)
    ids[~real] = pad_id
    if lookup is not None:
        ids = lookup[ids]
    mask = None if real.all() else real.astype(np.int64)
    segments = None
    if split.has_pairs:
        segments = ((places >= split.segment_starts[rows][:, None]) & real).astype(np.int64)
    return Batch(ids, mask, segments, np.asarray(split.labels[rows]), rows)


def padded_index(offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the rows' tokens are in the flat array, and which positions are real, both (B, T).

    Padding points at the first token of its row, so that no index leaves the array; the caller overwrites or masks it.
    """
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    places = np.arange(int(lengths.max()))
    real = places < lengths[:, None]
    return starts[:, None] + places * real, real
