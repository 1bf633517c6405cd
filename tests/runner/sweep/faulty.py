"""`run` with faults: environment variables name seeds that come to grief in the middle of their training.

RAISE=3 KILL=5 HOARD=7 CRASH=9 python -m tests.runner.sweep.faulty -m seed=3,5,7,9 ...
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

import runner.cli
from runner.training.trainer import Trainer

AT_STEP = 10
MB = 1_000_000


def step(trainer: Trainer, *rest: Any) -> Any:
    seed = str(trainer.recipe.seed)
    if trainer.state.step == AT_STEP:
        print(f"seed {seed} is at step {AT_STEP}", flush=True)
        if seed == os.environ.get("RAISE"):
            raise RuntimeError("the cat sat on the keyboard")
        if seed == os.environ.get("KILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        if seed == os.environ.get("CRASH"):
            ctypes.string_at(0)
        if seed == os.environ.get("HOARD"):
            hoarded = [bytearray(os.urandom(1)) * (50 * MB) for _ in range(30)]
            time.sleep(60)
            del hoarded
    time.sleep(float(os.environ.get("SLOW_S", "0")))
    return original(trainer, *rest)


original = Trainer.step
Trainer.step = step  # type: ignore[method-assign]

if __name__ == "__main__":
    runner.cli.main()
