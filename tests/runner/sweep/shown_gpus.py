"""`run` whose jobs do nothing but tell the GPUs that they are shown; the command prints them at its end."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import runner.cli
from runner.commands.experiment import ExperimentFunction
from runner.experiment.outcome import Outcome


def job(_function: ExperimentFunction, _config: Any, context: Any = None) -> Outcome:
    time.sleep(0.4)
    return Outcome(0, reason=os.environ.get("CUDA_VISIBLE_DEVICES"))


def collect(_function: ExperimentFunction, outcomes: list[Outcome]) -> None:
    print("RETURNED", json.dumps([outcome.reason for outcome in outcomes]))


ExperimentFunction.__call__, ExperimentFunction.collect = job, collect  # type: ignore[method-assign, assignment]

if __name__ == "__main__":
    runner.cli.main()
