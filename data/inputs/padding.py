"""Rows that lie end to end in a flat array, as a padded rectangle."""

from __future__ import annotations

import numpy as np


def padded_index(offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the rows' tokens are in the flat array, and which positions are real, both (B, T).

    Padding points at the first token of its row, so that no index leaves the array; the caller overwrites or masks it.
    """
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    places = np.arange(int(lengths.max()))
    real = places < lengths[:, None]
    return starts[:, None] + places * real, real
