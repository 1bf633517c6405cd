"""Optional abilities of a module that the training loop looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class Observed:
    """A module that reports metrics about itself during training."""

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation, under names that runner/record/metrics.py lists."""
        raise NotImplementedError


class OwnRate:
    """A module whose parameters have their own peak learning rate and no weight decay."""

    own_lr: float | None = None  # None: the optimizer's learning rate and weight decay


class Folded:
    """A backbone with one row per n-gram; the training loop trains it, then it becomes a linear model (`Fitted`)."""

    n: int  # words in the longest n-gram
    hashes: Tensor  # (rows,) int64, ascending

    def keep(self, hashes: np.ndarray) -> None:
        """Allocate one row per n-gram, given the n-grams' ascending hashes (rows,)."""
        raise NotImplementedError


class Fitted:
    """A backbone that is fitted by counting and solving instead of by the training loop."""
