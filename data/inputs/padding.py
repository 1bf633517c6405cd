"""Turns rows that are concatenated in a flat array into a padded rectangle."""

from __future__ import annotations

import numpy as np


def padded_index(offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the rows' tokens in the flat array, and which positions are not padding, both (B, T).

    Padding points at the first token of its row, so that every index is valid; the caller overwrites or masks it.
    """
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    places = np.arange(int(lengths.max()))
    real = places < lengths[:, None]
    return starts[:, None] + places * real, real
