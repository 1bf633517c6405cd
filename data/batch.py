"""From row numbers to padded arrays, without a Python loop over tokens (about 0.1 ms for 32 short rows)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.inputs.padding import padded_index
from data.splits import Arrays, TokenSplit
from data.stores.frozen_states import FrozenStates


@dataclass(frozen=True)
class Batch:
    """Rows in the form that a model takes; arrays that are not needed are absent."""

    # Arguments of the model's forward: `input_ids`, `attention_mask` and `token_type_ids`, (B, T) int64; for sounds
    # `input_ids` are frames, (B, T, F) float32; or `states` (B, T, layers, H). And `places` (N,) int64: the positions
    # in the flattened (B, T) that need a prediction.
    inputs: Arrays
    # Arguments of the task's loss: `labels`, (items,) or (items, columns) int64 or float32; with mixup of sounds, the
    # share of each class, (items, C) float32.
    targets: Arrays
    rows: np.ndarray  # (B,) row numbers in the split


def collate(
    split: TokenSplit, rows: np.ndarray, *, lookup: np.ndarray | None = None, epoch: int | None = None
) -> Batch:
    """Make the batch of the given rows, in their order.

    lookup: (V,) new id of each token id, padding included, for a model whose embedding table has another order.
    epoch: the training epoch, which determines masking and augmentation; None: outside training, with the masks of
    epoch 0 and no augmentation.
    """
    if split.frozen_states is not None:
        inputs = _states(split.frozen_states, rows)
    else:
        inputs = split.input.collate(split, rows, lookup)
    targets = {} if split.target is None else split.target.collate(split, rows, inputs, epoch or 0)
    if split.augment is not None and epoch is not None:
        split.augment.augment(split, rows, inputs, targets, epoch)
    return Batch(inputs, targets, rows)


def _states(kept: FrozenStates, rows: np.ndarray) -> Arrays:
    """Return the stored hidden states of the rows, (B, T, layers, H), and a mask if any row is padded."""
    index, real = padded_index(kept.offsets, rows)
    inputs = {"states": np.asarray(kept.values)[index]}
    return inputs if real.all() else inputs | {"attention_mask": real.astype(np.int64)}
