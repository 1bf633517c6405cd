"""The 95 % intervals of a group's mean score: over its seeds, over its examples, and over its folds."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean

from runner.compare import pairs
from runner.compare.folds import by_fold, fold_interval, held_out_answers, held_out_split
from runner.compare.groups import Group
from runner.compare.rows import Intervals
from runner.record.metrics import check
from runner.statistics import paired as stats
from runner.statistics.scores import as_rows

BOUNDS = {"share": (0.0, 1.0), "-1..1": (-1.0, 1.0)}  # limits by unit; an interval over few seeds may exceed them


def group_intervals(group: Group, metric: str) -> Intervals:
    """Return the intervals of a group's mean over its seeds and over its examples, within the score's range.

    There are none if a run's score is infinite or not a number, and so is the mean.
    """
    if not all(map(math.isfinite, group.values(metric))):
        return Intervals()
    lowest, highest = BOUNDS.get(check(metric).unit, (-math.inf, math.inf))

    def within(found: stats.Interval | None) -> stats.Interval | None:
        return found and replace(found, low=max(found.low, lowest), high=min(found.high, highest))

    if group.is_folded:
        over_folds = _over_folds(group, metric)
        return Intervals(examples=within(over_folds.examples), folds=within(over_folds.folds))
    return Intervals(within(stats.seed_interval(group.values(metric))), within(_over_examples(group, metric)))


def _over_folds(group: Group, metric: str) -> Intervals:
    """Return the intervals of a group of folds: corrected over folds, and over the rows held out by one seed and
    repeat.

    A score of the reported rows has no such interval: the models of all folds answered the same rows.
    """
    split, _, score = metric.partition("/")
    scores = pairs.scores_of(group.runs[0])
    if split != held_out_split(group.runs[0]) or score not in scores:
        return Intervals()
    folds = fold_interval(group.values(metric), group.runs)
    answers = held_out_answers({fold: next(iter(runs.values())) for fold, runs in by_fold(group.runs).items()}, split)
    if isinstance(answers, str):
        return Intervals(folds=folds)
    ends, rows = scores[score].interval(answers[0]), as_rows(scores[score].units)
    return Intervals(examples=stats.Interval(*ends, f"{len(answers[0])} {rows} held out"), folds=folds)


def _over_examples(group: Group, metric: str) -> stats.Interval | None:
    """Return the interval over the examples: of a single run its own, of several the mean of theirs.

    All runs answered the same examples, so this uncertainty does not shrink with the number of seeds.
    """
    runs = [run for run in group.members if metric in run.metrics]
    found = [pairs.score_interval(run, metric) for run in runs]
    there = [interval for interval in found if interval is not None]
    if not there or len(there) < len(runs):
        return None
    low, high = fmean(interval.low for interval in there), fmean(interval.high for interval in there)
    return stats.Interval(low, high, there[0].over)
