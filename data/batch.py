"""From row numbers to padded arrays, without a Python loop over tokens (about 0.1 ms for 32 short rows)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.inputs.padding import padded_index
from data.splits import Arrays, TokenSplit
from data.stores.frozen_states import FrozenStates


@dataclass(frozen=True)
class Batch:
    """Rows made ready for a model; names that have nothing to say are absent."""

    # Arguments of the model's forward: `input_ids`, `attention_mask` and `token_type_ids`, (B, T) int64; of sounds
    # `input_ids` are frames, (B, T, F) float32; or `states` (B, T, layers, H). And `places` (N,) int64: the positions
    # in the flattened (B, T) that are to be answered.
    inputs: Arrays
    # Arguments of the task's loss: `labels`, (items,) or (items, columns) int64 or float32, or where sounds are mixed
    # the share of each class, (items, C) float32.
    targets: Arrays
    rows: np.ndarray  # (B,) their numbers in the split


def collate(
    split: TokenSplit, rows: np.ndarray, *, lookup: np.ndarray | None = None, epoch: int | None = None
) -> Batch:
    """Make the batch of the given rows, in their order.

    lookup: (V,) new id of each token id, padding included, for a model whose word table has another order.
    epoch: of a training, by which words are masked and rows varied; None: outside, masks as in the first and rows as
    they are.
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
    """Return the stored states of the rows (B, T, layers, H), and the mask if any of them is padded."""
    index, real = padded_index(kept.offsets, rows)
    inputs = {"states": np.asarray(kept.values)[index]}
    return inputs if real.all() else inputs | {"attention_mask": real.astype(np.int64)}
