"""`run best` with a hand-made plan: two n-gram models, one after the other.

SLOW_S=30 python -m tests.runner.best.planned best data=demo ...
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import nullcontext

import runner.cli
from runner.best import command
from runner.best.journal import Journal
from runner.best.types import Budget, Candidate, Done, Facts, Plan, Step
from runner.schema import Settings

CANDIDATES = (
    Candidate("ngram", "ngram", ("model=ngram",), seconds=1.0),
    Candidate("ngram 20 kB", "ngram", ("model=ngram", "model.max_kb=20"), seconds=1.0),
)


def make_plan(_settings: Settings, _words: Sequence[str], budget: Budget, _notify: object) -> Plan:
    steps = tuple(Step(number, one.name, seconds=1.0) for number, one in enumerate(CANDIDATES, 1))
    return Plan(
        "0123456789",
        budget,
        Facts(rows=200, classes=2, smallest_class=100, majority=0.5),
        CANDIDATES,
        (),
        steps,
        planned=2,
    )


def add(journal: Journal, done: Done) -> None:
    original(journal, done)
    time.sleep(float(os.environ.get("SLOW_S", "0")))


original = Journal.add
Journal.add = add  # type: ignore[method-assign]
command.make_plan = make_plan  # type: ignore[assignment]
command.encoders_ahead = lambda *_: nullcontext()  # type: ignore[assignment]
if __name__ == "__main__":
    runner.cli.main()
