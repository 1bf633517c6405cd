"""The steps of a training: which rows go into each, after which of them something is logged or evaluated, and where it
stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from data.sampler import epoch_batches
from runner.schema import TrainSettings

if TYPE_CHECKING:
    from torch import Tensor

POINTS = 200  # logged training points a run; each is one host synchronisation


class Plan:
    """Which rows go into which step: a pure function of the seed, so only the position is ever stored."""

    def __init__(self, lengths: np.ndarray, settings: TrainSettings, seed: int) -> None:
        self.lengths, self.settings, self.seed = lengths, settings, seed
        whole = int(settings.epochs)
        self.steps: list[int] = []
        if settings.steps:
            while (left := settings.steps - sum(self.steps)) > 0:
                self.steps.append(min(left, len(self._cut(len(self.steps)))))
        else:
            self.steps = [len(self._cut(epoch)) for epoch in range(math.ceil(settings.epochs))]
            if settings.epochs > whole:  # the last, partial epoch
                self.steps[-1] = max(1, round(self.steps[-1] * (settings.epochs - whole)))
        self.epochs, self.total = len(self.steps), sum(self.steps)
        self.log_every = max(1, math.ceil(self.total / POINTS))
        wanted = settings.evals or 0
        ends = set(np.cumsum(self.steps).tolist())  # steps after which an epoch is over, which evaluates anyway
        self.evaluated = {max(1, round(self.total * i / wanted)) for i in range(1, wanted + 1)} - ends
        self.watched = self.evaluated | ends

    def _cut(self, epoch: int) -> list[np.ndarray]:
        budget = self.settings.token_budget
        size = None if budget else self.settings.batch_size
        return epoch_batches(self.lengths, seed=self.seed, epoch=epoch, batch_size=size, token_budget=budget)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """The batches of one epoch, each an array of row numbers."""
        return self._cut(epoch)[: self.steps[epoch]]


@dataclass
class Position:
    """Where training stands; together with the tensors this is the whole checkpoint."""

    epoch: int = 0  # the epoch going on, from 0
    batch: int = 0  # the next batch within it
    step: int = 0  # steps of the plan done, with the batches that were left out
    examples: int = 0
    seconds: float = 0.0
    best_epoch: int = -1
    best_metric: float = math.nan
    stale: int = 0
    loss_sum: float = 0.0  # since the last logged point
    loss_rows: int = 0
    schedule: dict[str, float | int] = field(default_factory=dict)
    left_out: int = 0  # batches so far whose loss or gradient was not finite
    shrink: float = 1.0  # decay that the untrained rows of the word table still wait for

    def is_over(self, patience: int | None) -> bool:
        """Has the selection metric not improved for `patience` epochs? None: however long that takes."""
        return patience is not None and self.stale >= patience


@dataclass
class Trained:
    """What `fit` did: the model passed in now holds the kept weights."""

    seconds: float
    examples: int
    steps: int
    best_epoch: int  # from 1
    epochs: int
    best_metric: float  # of the selection split, by the weights that were kept if train.keep_best
    resumed_from: int  # 0: from the start
    engine: dict[str, str]  # facts about how it was done
    watched: dict[str, float]  # what runner/training/gradient_norms.py sees in the kept model
    moments: dict[str, Tensor]  # the optimizer's at the end, by parameter, if they were asked for
    left_out: int  # batches whose loss or gradient was not finite
