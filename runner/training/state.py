"""Where a training stands, and what it came to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class TrainingState:
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
class TrainingResult:
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
