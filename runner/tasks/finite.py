"""Refuses the outputs of a training that diverged."""

from __future__ import annotations

import numpy as np


class NotFiniteOutputs(ValueError):
    """Outputs of a model are not finite numbers; the message says how many, and what helps."""


def refuse_not_finite(kept: np.ndarray, what: str, rows: str = "rows") -> None:
    """Raise NotFiniteOutputs where an item's outputs (items, K) are not finite."""
    wrong = int((~np.isfinite(kept)).reshape(len(kept), -1).any(axis=1).sum())
    if wrong:
        raise NotFiniteOutputs(
            f"the {what} of {wrong} of {len(kept)} {rows} are not finite: training diverged. "
            "Try: a smaller optimizer.lr"
        )
