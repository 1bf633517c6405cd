"""The winner's score on the reported rows, and its difference to other candidates on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.best.choice.draws import sign_of
from runner.record.baseline import MAJORITY, is_at_baseline
from runner.record.interval_units import interval_units
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord
from runner.statistics.paired import Interval
from runner.tasks.make import task_of_record

ALPHA = 0.05  # significance level


@dataclass(frozen=True)
class Gap:
    """How much better the winner is than another model on the reported rows; positive is better for every score."""

    better: float
    low: float
    high: float
    p: float

    @property
    def is_ahead(self) -> bool:
        """Is the winner significantly better?"""
        return self.p < ALPHA and self.better > 0


def gap_between(winner: RunRecord, other: RunRecord, output: Path) -> Gap | None:
    """Return the paired difference of two runs on the reported rows; None if a run has no stored answers to them.

    output: the folder of the run folders.
    """
    split, _, name = winner.data.primary.partition("/")
    if winner.data.examples(split) != other.data.examples(split):
        return None
    found = [read_predictions(output / record.identity, split, record) for record in (winner, other)]
    if found[0] is None or found[1] is None:
        return None
    score = task_of_record(winner).score(name)
    _, p, interval = score.compare([(found[0], found[1])])
    ends = sorted(sign_of(score) * end for end in (interval.low, interval.high))
    return Gap(sign_of(score) * (score.value(found[0]) - score.value(found[1])), ends[0], ends[1], p)


def interval_of(record: RunRecord) -> Interval | None:
    """Return the recorded 95 % interval of the headline score; None if there is none."""
    primary = record.data.primary
    if f"{primary}_low" not in record.metrics:
        return None
    count, units = interval_units(record.metrics, primary.partition("/")[0])
    return Interval(record.metrics[f"{primary}_low"], record.metrics[f"{primary}_high"], f"{count:,} {units}")


def verdict_on(least: float, interval: Interval, *, is_lower_better: bool = False) -> str:
    """Return whether `at_least` holds on rows that were not selected on: holds, does not hold, cannot tell."""
    low, high = (-interval.high, -interval.low) if is_lower_better else (interval.low, interval.high)
    goal = -least if is_lower_better else least
    return "holds" if low >= goal else "does not hold" if high < goal else "cannot tell"


def is_at_majority(metrics: Mapping[str, float], primary: str) -> bool:
    """Is a score no better, by more than chance, than that of the most frequent label?"""
    return bool(is_at_baseline([metrics], primary, MAJORITY))
