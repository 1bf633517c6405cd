"""Optional abilities of a module that the training loop looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class Observed:
    """A module that reports numbers about itself while it is trained."""

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation, under names that runner/record/metrics.py lists."""
        raise NotImplementedError


class OwnRate:
    """A module whose parameters have their own peak learning rate and no weight decay."""

    own_lr: float | None = None  # None: the optimizer's rate, with its decay


class Folded:
    """A backbone with a row for each n-gram, trained by the loop, that then becomes a linear model (`Fitted`)."""

    n: int  # words in the longest n-gram
    hashes: Tensor  # (rows,) int64, ascending

    def keep(self, hashes: np.ndarray) -> None:
        """Make a row for each n-gram, given their ascending hashes (rows,)."""
        raise NotImplementedError


class Fitted:
    """A backbone that is fitted by counting and solving, not by the training loop."""
