"""Refuses budgets and data for which no search is possible: one message each, with the cure, before any training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.calibration import FOLDS
from data.load import Rows
from data.settings import DataSettings
from runner.best.plan.candidates import shown_bytes
from runner.best.types import Budget, Candidate, Facts, Plan
from runner.errors import ConfigError
from runner.schema import Settings
from runner.statistics.score_table import is_share
from runner.tasks.base import Task

GOALS = {"macro_f1": "f1_macro"}  # other names of scores
LOPSIDED = 0.95  # share of the largest class from which on accuracy says little
PREFERENCES = ("cap", "small")


def check_budget(budget: Budget, settings: Settings) -> None:
    """Raise ConfigError for limits that contradict each other, and for a choice by reported rows."""
    if budget.steps is not None and budget.minutes is not None:
        raise ConfigError("minutes and steps both end the search. Try: steps=12 (no clock), or minutes=10 alone")
    limits = {"max_kb": budget.max_kb, "max_us": budget.max_us, "minutes": budget.minutes, "steps": budget.steps}
    for name, value in limits.items():
        if value is not None and not 0 < value < math.inf:
            raise ConfigError(f"{name}={value:g}: must be above 0. Leave it out for no limit")
    if budget.prefer not in PREFERENCES:
        raise ConfigError(f"prefer={budget.prefer}: expected cap or small. Try: prefer=small")
    data = settings.data
    reported = {name for pair in data.report_splits.items() for name in pair}
    if data.select_split is not None and data.select_split in reported and data.split is None:
        raise ConfigError(
            f"data.select_split={data.select_split} is a reported split, and no choice may be made on reported rows. "
            "Try: data.select_split=null (a part of the training rows)"
        )
    if data.calibration == FOLDS:
        raise ConfigError(
            f"data.calibration={FOLDS}: with few rows run best trains on folds, and calibrates its winner on "
            "them. Leave it out"
        )
    if budget.goal is not None and "/" in budget.goal:
        raise ConfigError(
            f"goal={budget.goal}: scores are taken on selection rows. Try: goal={budget.goal.rpartition('/')[2]}"
        )


def goal_of(budget: Budget, task: Task) -> str:
    """Return the score to reach: the task's first one, or the goal by its own name.

    Raises ConfigError for no such score.
    """
    if budget.goal is None:
        return task.metrics[0]
    name = GOALS.get(budget.goal, budget.goal)
    known = [known for known in task.scores if task.scores[known]]
    if name not in known:
        raise ConfigError(
            f"goal={budget.goal} is not a score of {task.name} ({', '.join(known)}). Try: goal={known[0]}"
        )
    return name


def check_classes(rows: Rows) -> None:
    """Raise ConfigError for a class with a single row."""
    raw = rows.raw
    strata = raw.target.strata(raw.splits["train"].labels)
    if strata is None:
        return
    held = raw.target.strata(raw.splits[rows.select].labels) if rows.is_cut else None
    whole = strata if held is None else np.concatenate([strata, held])
    classes, sizes = np.unique(whole, return_counts=True)
    if sizes.min() == 1:
        name = raw.target.names[int(classes[sizes.argmin()])]
        raise ConfigError(
            f"the class {name!r} has a single row, which cannot both train and select. Add rows of it, or "
            "leave that row out"
        )


def check_no_own_folds(data: DataSettings) -> None:
    """Raise ConfigError for folds given by a column: they cannot be divided again to select on few rows."""
    if data.fold_column is not None:
        raise ConfigError(
            f"data.fold_column={data.fold_column}: with so few labelled rows run best selects by its own folds, so "
            "there can be no others. Try: data.fold_column=null data.fold=null, or the rows of that fold in a "
            "separate file with data.test_path"
        )


def check_facts(facts: Facts, budget: Budget) -> Facts:
    """Return the facts, with a note if the goal says little. budget: with its goal.

    Raises ConfigError for an `at_least` that says nothing.
    """
    if budget.at_least is not None and budget.at_least > 1 and is_share(budget.goal):
        raise ConfigError(
            f"at_least={budget.at_least:g}: {budget.goal} is at most 1. Try: at_least={budget.at_least / 100:g}"
        )
    if facts.classes is None:
        return facts
    majority = facts.majority or 0.0
    if budget.at_least is not None and budget.goal == "accuracy" and budget.at_least <= majority:
        higher = math.ceil(100 * majority + 1) / 100
        raise ConfigError(
            f"at_least={budget.at_least:g}: always giving the most frequent label has accuracy {majority:.3f}. "
            f"Try: {f'at_least={higher:g}' if higher < 1 else 'goal=f1_macro'}"
        )
    if budget.goal == "accuracy" and majority > LOPSIDED:
        note = f"{majority:.1%} of the rows have one label, so accuracy says little. Try: goal=f1_macro"
        return replace(facts, notes=(*facts.notes, note))
    return facts


def check_reach(plan: Plan, beyond: Sequence[Candidate]) -> None:
    """Raise ConfigError if no candidate fits the caps, or if there is not enough time or too few steps for any.

    beyond: candidates that are over a cap.
    """
    budget = plan.budget
    fitting = [one for one in plan.candidates if one.fits]
    if not fitting:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in plan.left_out) or "none is known"
        raise ConfigError(f"{budget_words(budget)}: nothing fits. {nearest(budget, beyond) or reasons}")
    check_steps(plan, fitting)
    cheapest = min(fitting, key=lambda one: seconds_to_finish(plan, one))
    seconds = seconds_to_finish(plan, cheapest)
    if budget.minutes is not None and seconds > 60 * budget.minutes:
        needed = math.ceil(10 * seconds / 60) / 10
        on_folds = f" on {plan.folds} folds and then on all rows" if plan.folds else ""
        raise ConfigError(
            f"minutes={budget.minutes:g} is not enough for the cheapest candidate, {cheapest.name}, which takes about "
            f"{seconds:,.0f} s{on_folds}. Try: minutes={max(needed, 0.1):g}"
        )


def check_steps(plan: Plan, fitting: Sequence[Candidate]) -> None:
    """Raise ConfigError if the steps end before the first candidate within the caps is finished, as with folds."""
    last = {step.candidate: step.number for step in plan.steps if not step.is_repeat}
    first = min(fitting, key=lambda one: last.get(one.name, 0))
    needed, steps = last.get(first.name, 0), plan.budget.steps
    if steps is not None and steps < needed:
        on_folds = f" ({plan.folds} folds)" if plan.folds else ""
        raise ConfigError(
            f"steps={steps} is not enough for any candidate: {first.name}, the first one, is finished after step "
            f"{needed}{on_folds}. Try: steps={needed}"
        )


def seconds_to_finish(plan: Plan, candidate: Candidate) -> float:
    """Return the estimated seconds until a candidate can be deployed, including those of the runs that it builds on.

    With folds these are its runs on all folds, `jobs` of them side by side, and the last training on all rows.
    """
    steps = [one.seconds for one in plan.steps if plan.folds and one.candidate == candidate.name and not one.is_repeat]
    own = candidate.seconds + sum(steps) / max(1, min(plan.budget.jobs or 1, len(steps)))
    before = [name for name in (candidate.teacher, candidate.trained_by) if name is not None]
    return own + sum(seconds_to_finish(plan, plan.candidate(name)) for name in before)


def budget_words(budget: Budget) -> str:
    """Return the caps as they are typed."""
    caps = {"max_kb": budget.max_kb, "max_us": budget.max_us}
    return " ".join(f"{name}={value:g}" for name, value in caps.items() if value is not None) or "this budget"


def nearest(budget: Budget, beyond: Sequence[Candidate]) -> str:
    """Return a sentence for each cap that no candidate keeps: on the smallest of them, and on the fastest."""
    found = list[str]()
    sized = [one for one in beyond if one.bytes is not None]
    if budget.max_bytes is not None and sized and all((one.bytes or 0) > budget.max_bytes for one in sized):
        least = min(sized, key=lambda one: one.bytes or 0)
        needed = math.ceil((least.bytes or 0) / 1000)
        found.append(
            f"The smallest that could is {least.name} at {shown_bytes(least.bytes or 0)}. Try: max_kb={needed}"
        )
    timed = [one for one in beyond if one.micros is not None]
    if budget.max_us is not None and timed and all((one.micros or 0.0) > budget.max_us for one in timed):
        fastest = min(timed, key=lambda one: one.micros or 0.0)
        needed = math.ceil((fastest.micros or 0.0) * 1.25)
        found.append(
            f"This machine is too slow: {fastest.name}, the fastest, takes {fastest.micros:,.0f} us. "
            f"Try: max_us={needed}"
        )
    return ". ".join(found)
