"""Start `run` on a machine whose clock jumps back an hour in the middle of training."""

from __future__ import annotations

import datetime
import time
from typing import Any

import runner.cli
import runner.record.record
from runner.training.trainer import Trainer

AT_STEP, HOUR_S = 10, 3600.0
jumped_s = 0.0


class Jumping(datetime.datetime):
    """Return the time of day; after the jump, an hour less."""

    @classmethod
    def now(cls, tz: Any = None) -> Jumping:  # type: ignore[override]
        return super().now(tz) - datetime.timedelta(seconds=jumped_s)


def step(loop: Trainer, *rest: Any) -> Any:
    global jumped_s
    if loop.state.step == AT_STEP:
        jumped_s = HOUR_S
    return original(loop, *rest)


original, real = Trainer.step, time.time
Trainer.step = step  # type: ignore[method-assign]
runner.record.record.datetime = Jumping  # type: ignore[misc]
time.time = lambda: real() - jumped_s

if __name__ == "__main__":
    runner.cli.main()
