"""Learning-rate schedules; their state is four numbers, saved in checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runner.schema import ScheduleSettings


@dataclass
class Schedule:
    """The learning rate as a function of the step, times the reduction by the plateau schedule.

    direction: "higher" or "lower", which way the selection metric improves. It matters: one published recipe watched
    accuracy for a minimum, and so halved the rate at every gain.
    """

    settings: ScheduleSettings
    peak: float
    total: int
    direction: str
    scale: float = 1.0
    best: float = math.nan
    stale: int = 0
    best_loss: float = math.nan  # of the selection split, at `best`

    def rate(self, step: int) -> float:
        """Return the rate of optimizer step `step` (from 0): it rises during warm-up, then follows the schedule."""
        warmup = round(self.settings.warmup * self.total)
        if step < warmup:
            return self.peak * self.scale * (step + 1) / warmup
        done = (step - warmup) / max(1, self.total - warmup)
        shape = {
            "linear": 1.0 - done,
            "cosine": 0.5 * (1.0 + math.cos(math.pi * done)),
            "constant": 1.0,
            "plateau": 1.0,
        }[self.settings.name]
        return self.peak * self.scale * shape

    def observe(self, metric: float, loss: float = math.nan) -> None:
        """Update with the metric and the loss of the selection split in an epoch; only the plateau schedule uses it."""
        if is_better_epoch((metric, loss), (self.best, self.best_loss), self.direction):
            self.best, self.best_loss, self.stale = metric, loss, 0
            return
        self.stale += 1
        if self.settings.name == "plateau" and self.stale > self.settings.patience:
            self.scale, self.stale = self.scale * self.settings.factor, 0

    def state(self) -> dict[str, float | int]:
        """Return the numbers for a checkpoint."""
        return {"scale": self.scale, "best": self.best, "stale": self.stale, "best_loss": self.best_loss}

    def load(self, state: dict[str, float | int]) -> None:
        """Restore a `state`."""
        self.scale, self.best, self.stale = state["scale"], state["best"], int(state["stale"])
        self.best_loss = state.get("best_loss", math.nan)


def is_better(metric: float, best: float, direction: str) -> bool:
    """Is `metric` strictly better than `best`? Anything is better than NaN (nothing seen yet)."""
    if math.isnan(best):
        return not math.isnan(metric)
    return metric < best if direction == "lower" else metric > best


def is_better_epoch(found: tuple[float, float], best: tuple[float, float], direction: str) -> bool:
    """Is an epoch better than the best one? Each: the metric and the loss of the selection split.

    While every score is 0, as F1 is before a model finds anything, the lower loss is better.
    """
    (metric, loss), (best_metric, best_loss) = found, best
    is_nearer = direction == "higher" and metric == best_metric == 0.0 and loss < best_loss
    return is_nearer or is_better(metric, best_metric, direction)
