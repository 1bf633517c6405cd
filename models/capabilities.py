"""What a module may offer to whoever trains it, whatever else it is."""

from __future__ import annotations


class Observed:
    """A module that reports numbers about itself while it is trained."""

    def facts(self) -> dict[str, float]:
        """Metrics to log at every evaluation, under names that runner/record/metrics.py lists."""
        raise NotImplementedError


class OwnRate:
    """A module whose own parameters have a peak learning rate of theirs, and never decay."""

    own_lr: float | None = None  # None: the optimizer's rate, with its decay
