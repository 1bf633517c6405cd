"""From row numbers to padded arrays, without Python per token (about 0.1 ms for 32 short rows)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.splits import TokenSplit


@dataclass
class Batch:
    """Rows padded to the longest among them."""

    input_ids: np.ndarray  # (B, T) int64
    attention_mask: np.ndarray | None  # (B, T) int64, 1 for real tokens; None when nothing is padded
    token_type_ids: np.ndarray | None  # (B, T) int64, 1 for tokens of the second text; None when there is none
    labels: np.ndarray  # (B,) int64 or float32; of masked words (N,) int64, their ids
    rows: np.ndarray  # (B,) where they came from
    places: np.ndarray | None = None  # (N,) int64, the masked words' places in the flattened (B, T)
    states: np.ndarray | None = None  # (B, T, layers, H) in place of the ids, see data/stores/frozen_states.py


def collate(
    split: TokenSplit, rows: np.ndarray, pad_id: int, lookup: np.ndarray | None = None, epoch: int = 0
) -> Batch:
    """The batch of the given rows, in their order.

    lookup: (V,) what each token id becomes, padding too, for a model whose word table is arranged otherwise.
    epoch: which masks to draw, where words are masked.
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
    """Where the rows' tokens lie in the flat array, and which places are real, both (B, T).

    Places beyond a row's end read its first token, to be overwritten or masked: no index ever leaves the array.
    """
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    places = np.arange(int(lengths.max()))
    real = places < lengths[:, None]
    return starts[:, None] + places * real, real
