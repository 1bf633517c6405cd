"""The steps of a training: which rows go into each step, and after which steps to log or evaluate."""

from __future__ import annotations

import math

import numpy as np

from data.sampler import epoch_batches
from data.units import Units, unit_batches
from runner.schema import TrainSettings

POINTS = 200  # logged training points per run; each needs a device synchronisation


class BatchPlan:
    """Which rows go into which step: a pure function of the seed, so a checkpoint stores only the position."""

    def __init__(self, lengths: np.ndarray, settings: TrainSettings, seed: int, units: Units | None = None) -> None:
        """lengths: (rows,) of the training rows, in tokens; units: groups of rows that stay together, if any.

        Raises ValueError if there is nothing to train on: no rows, or no group that could be drawn.
        """
        self.lengths, self.settings, self.seed, self.units = lengths, settings, seed, units
        whole = int(settings.epochs)
        self.steps: list[int] = []
        if settings.steps:
            while (left := settings.steps - sum(self.steps)) > 0:
                self.steps.append(min(left, self._count(len(self.steps))))
        else:
            self.steps = [self._count(epoch) for epoch in range(math.ceil(settings.epochs))]
            if settings.epochs > whole:  # the last, partial epoch
                self.steps[-1] = max(1, round(self.steps[-1] * (settings.epochs - whole)))
        self.epochs, self.total = len(self.steps), sum(self.steps)
        self.log_every = max(1, math.ceil(self.total / POINTS))
        wanted = settings.evals or 0
        every = settings.eval_every
        self.evaluated_epochs = {*range(every - 1, self.epochs, every), self.epochs - 1}  # from 0
        lasts = np.cumsum(self.steps).tolist()
        ends = {lasts[epoch] for epoch in self.evaluated_epochs}  # last steps, which are followed by an evaluation
        # Steps after which the selection split is evaluated: only those within an epoch, and all of them.
        self.evaluations_within = {max(1, round(self.total * i / wanted)) for i in range(1, wanted + 1)} - ends
        self.evaluations = self.evaluations_within | ends

    def _count(self, epoch: int) -> int:
        """Return the batches of an epoch; ValueError for none, as an epoch without a step would never end training."""
        if count := len(self._cut(epoch)):
            return count
        what = "rows" if self.units is None else "query with a relevant candidate"
        raise ValueError(f"the training rows have no {what}, so an epoch would have no step. Try: more training rows")

    def _cut(self, epoch: int) -> list[np.ndarray]:
        budget = self.settings.token_budget
        size = None if budget else self.settings.batch_size
        if self.units is not None:
            return unit_batches(
                self.lengths, self.units, seed=self.seed, epoch=epoch, batch_size=size, token_budget=budget
            )
        return epoch_batches(self.lengths, seed=self.seed, epoch=epoch, batch_size=size, token_budget=budget)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Return the batches of one epoch, each an array of row numbers."""
        return self._cut(epoch)[: self.steps[epoch]]

    def parts(self, rows: np.ndarray, count: int) -> list[np.ndarray]:
        """Split a batch into at most `count` parts, without separating rows that belong together."""
        if self.units is not None:
            return self.units.cut(rows, count)
        return np.array_split(rows, min(count, len(rows)))
