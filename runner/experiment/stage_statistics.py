"""The statistics of a compression stage (Statistics of models/compression/stage.py)."""

from __future__ import annotations

import numpy as np

from runner.statistics.deferral import last_certified, net_loss_interval
from runner.statistics.temperature import fit_temperature


class StageStatistics:
    """Temperatures, and what early answers lose."""

    def temperature(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """Return the temperature of logits (N, C) for labels (N,); 1 if none can be fitted."""
        return fit_temperature(logits, labels).value

    def last_certified(self, harms: np.ndarray, helps: np.ndarray, rows: int, at_most_loss: float, delta: float) -> int:
        """Return the index of the last ordered setting before the first whose loss of accuracy may be larger; -1 if
        none.
        """
        return last_certified(harms, helps, rows, at_most_loss, delta)

    def net_loss_interval(self, harms: int, helps: int, rows: int, delta: float) -> tuple[float, float]:
        """Return the ends between which the loss of accuracy lies with probability 1 - delta."""
        return net_loss_interval(harms, helps, rows, delta)
