"""Optional abilities of a module that the training loop looks for."""

from __future__ import annotations


class Observed:
    """A module that reports numbers about itself while it is trained."""

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation, under names that runner/record/metrics.py lists."""
        raise NotImplementedError


class OwnRate:
    """A module whose parameters have their own peak learning rate and no weight decay."""

    own_lr: float | None = None  # None: the optimizer's rate, with its decay


class Fitted:
    """A backbone that is fitted by counting and solving, not by the training loop."""
