"""Counts the steps to the baseline's score, for runs that were evaluated often enough (train.evals)."""

from __future__ import annotations

from collections.abc import Sequence

from runner.compare.nearest import nearest, same_table
from runner.compare.rows import Row
from runner.compare.select import Run
from runner.compare.verdict import NOT_REPRODUCED, REPRODUCED, Published
from runner.record.baseline import MARK
from runner.record.learning_curve import SMOOTH, Curve, curve, steps_to, target

STEPS = "time/steps_to_target"
NEARLY, SHARE = "time/steps_to_target_99", 0.99  # of the target
FEWEST = SMOOTH + 1  # evaluations: with fewer, every run reaches the target at the same one


def add_steps_to_target(rows: list[Row]) -> list[str]:
    """Add `time/steps_to_target` to runs that have a baseline; return notes about those that never reached it.

    Of several baselines, a row's target is the score of the one that it is tested against.
    """
    notes, bases = [], [row for row in rows if row.is_baseline]
    curves = [(base, [found for run in base.group.runs if (found := frequent_curve(run))]) for base in bases]
    if not any(own for _, own in curves):
        return []
    compared = [(row, nearest(row, same_table(row, bases))) for row in rows]
    for base, own in curves:
        if not own:
            continue
        goal = target(own)
        if base.at_baseline:
            notes.append(f"{base.group.name}: {MARK}, so {STEPS} counts to a score that needs no learning")
        for row in (row for row, its in compared if len(its) == 1 and its[0] is base):
            never = _mark(row, STEPS, goal)
            _mark(row, NEARLY, SHARE * goal)
            if never:
                notes.append(
                    f"{row.group.name}: {never} of {len(row.group.runs)} runs never reached {goal:.4f}, the baseline's "
                    f"mean best score (smoothed over {SMOOTH} evaluations); {STEPS} then counts all their steps"
                )
    return notes


def frequent_curve(run: Run) -> Curve | None:
    """Return the learning curve of a run with enough evaluations, else None."""
    if not run.record.setting("train.evals"):
        return None
    try:
        found = curve(run.folder)
    except (ValueError, OSError):
        return None
    return found if len(found.steps) >= FEWEST else None


def _mark(row: Row, name: str, goal: float) -> int:
    """Write the steps into the metrics of a row's runs; keep and return how many runs never reached the target."""
    never = 0
    for run in row.group.runs:
        found = frequent_curve(run)
        if found:
            steps, is_there = steps_to(found, goal)
            run.metrics[name] = steps
            never += not is_there
    if (mean := row.group.mean(name)) is not None:
        row.costs[name] = mean
    row.unreached[name] = never
    return never


def overturning(rows: Sequence[Row], metric: str, verdict: str, published: Published) -> list[Row]:
    """Return the rows of a number whose runs never reached the target, if longer runs could overturn the verdict.

    rows: of a value one, of a ratio or a difference its two sides. The steps of a run that never reached the target
    are a lower bound: a ratio with such runs in its numerator may be larger, in its denominator smaller.
    """
    larger, smaller = ([row for row in side if row.unreached.get(metric)] for side in (rows[:1], rows[1:]))
    better, worse = (larger, smaller) if published.sign > 0 else (smaller, larger)
    if published.is_equal:
        better = worse = larger + smaller
    return {NOT_REPRODUCED: better, REPRODUCED: worse}.get(verdict, [])
