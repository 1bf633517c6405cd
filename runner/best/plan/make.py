"""Makes the plan of a search before anything is trained, and stores it: an existing plan.json is followed.

    plan = make_plan(settings, words, budget)

The clock decides how many of its steps are done, never which ones or in which order.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from data.part_file import written_whole
from data.stores.build_once import SharedCache
from runner.best.plan.available_weights import AvailableWeights
from runner.best.plan.candidates import TOLERANCE, CandidateFinder, Found
from runner.best.plan.check import check_budget, check_reach
from runner.best.plan.draft import Drawer
from runner.best.plan.estimate import Estimator
from runner.best.plan.portfolio import UNAVAILABLE, Hub, portfolio_digest, read_portfolio
from runner.best.plan.rates import REFERENCE, Rates, known_rates, machine_class
from runner.best.plan.steps import count_planned, order_steps, repeats_for, rows_reported
from runner.best.plan.table import Table, read_table
from runner.best.types import Budget, Candidate, LeftOut, Plan
from runner.machine.device import choose_device
from runner.record.identity import identity_settings
from runner.sanitize import say
from runner.schema import Settings
from runner.version import NUMBERS, VERSION

LENGTHS = ("train.epochs=", "train.steps=")  # words of a command that say how long to train
PLAN, LOCK = "plan.json", ".plan.lock"
UNAVAILABLE_BEFORE = "weights not at hand: "  # in plans of older versions


def make_plan(settings: Settings, words: Sequence[str], budget: Budget, notify: Callable[[str], None] = say) -> Plan:
    """Return the plan for a command: read from its folder if it exists, else made and written there.

    settings: of the command with any model; words: its overrides, which every candidate shares. Raises the user's
    errors for a budget that nothing can meet, and for data that nothing can be learned from.
    """
    check_budget(budget, settings)
    notify = said_once(notify)
    cache = SharedCache(Path(settings.paths.cache).expanduser(), notify)
    table = read_table(settings, words, budget, cache)
    budget = replace(budget, goal=table.goal)
    machine = machine_class(choose_device(settings.device).type)
    key = plan_key(table, budget, machine)
    path = plan_path(settings, key)
    if (kept := read_plan(path)) is not None:
        return obeyed(kept, budget, path)
    finder = finder_for(table, budget, cache, measured_rates(settings, budget, notify))
    plan = finish_plan(key, budget, table, finder.find())
    check_reach(plan, finder.beyond)
    kept = keep_plan(plan, path)
    return plan if kept is plan else obeyed(kept, budget, path)


def obeyed(kept: Plan, budget: Budget, path: Path) -> Plan:
    """Return a stored plan as this command follows it; the file `unlabelled` may have moved."""
    kept = replace(kept, budget=replace(kept.budget, unlabelled=budget.unlabelled))
    return with_news(kept, AvailableWeights(), path.parent)


def measured_rates(settings: Settings, budget: Budget, notify: Callable[[str], None]) -> Rates:
    """Return the rates of this machine, measured if they are not known; REFERENCE if the search has no clock."""
    if budget.steps is not None or budget.minutes is None:
        return REFERENCE
    machine = machine_class(choose_device(settings.device).type)
    return known_rates(Path(settings.paths.cache).expanduser(), machine, notify)


def finder_for(table: Table, budget: Budget, cache: SharedCache, rates: Rates) -> CandidateFinder:
    """Return a finder of candidates for a table; budget: with its goal."""
    timed = machine_class(choose_device(table.settings.device).type) if budget.max_us is not None else None
    drawer = Drawer(table.rows, cache)
    largest = math.inf if budget.max_bytes is None else TOLERANCE * budget.max_bytes
    estimator = Estimator(
        drawer, table.words, table.settings, table.facts, rates, timed, budget.max_us, largest,
        reported=rows_reported(table.facts, table.folds),
    )  # fmt: skip
    spare = drawer.calibration_bytes(table.settings)
    return CandidateFinder(
        table.shared, table.facts, budget, estimator.estimate, AvailableWeights(), spare, has_folds=bool(table.folds),
        has_epochs=any(word.startswith(LENGTHS) for word in table.words),
    )  # fmt: skip


def estimate_encoders(settings: Settings, words: Sequence[str], budget: Budget) -> None:
    """Estimate the candidates whose time is that of matrix products, into the cache, where `make_plan` finds them."""
    cache = SharedCache(Path(settings.paths.cache).expanduser(), lambda _: None)
    table = read_table(settings, words, budget, cache)
    rates = measured_rates(settings, budget, lambda _: None)
    finder = finder_for(table, replace(budget, goal=table.goal), cache, rates)
    finder.find([kind for kind in read_portfolio() if kind.work == "dense"])


def with_news(plan: Plan, hub: Hub, folder: Path) -> Plan:
    """Return a stored plan, unchanged except for notes on what a new plan would know: weights, times of bundles."""
    ids = {
        one.reason.removeprefix(begin)
        for one in plan.left_out
        for begin in (UNAVAILABLE, UNAVAILABLE_BEFORE)
        if one.reason.startswith(begin)
    }
    notes, found = list[str](), sorted(filter(hub, ids))
    if found:
        notes.append(f"this plan was made without {', '.join(found)}, which can be used now")
    if any(one.micros is not None and one.engine is None for one in plan.candidates):
        notes.append("this plan is from a version that timed encoders in torch, which is slower than their bundles")
    cure = f"Try: remove {folder} and give the same command; finished runs are found again"
    return replace(plan, facts=replace(plan.facts, notes=(*plan.facts.notes, *(f"{note}. {cure}" for note in notes))))


def said_once(notify: Callable[[str], None]) -> Callable[[str], None]:
    """Return a `notify` that prints each line only once: the same rows are tokenised for several candidates."""
    said = set[str]()

    def once(text: str) -> None:
        if text not in said:
            said.add(text)
            notify(text)

    return once


def plan_key(table: Table, budget: Budget, machine: str) -> str:
    """Return the ten hexadecimal digits of a plan: a hash of all that it depends on."""
    is_timed = budget.max_us is not None or (budget.steps is None and budget.minutes is not None)
    labels = table.rows.task
    content = {
        "data": table.rows.fingerprints,
        "labels": [labels.target, *labels.label_names],
        "settings": identity_settings(table.settings),
        "budget": asdict(budget)
        | {"unlabelled": table.facts.unlabelled_digest, "jobs": budget.jobs if is_timed else None},
        "portfolio": portfolio_digest(),
        "code": [VERSION, NUMBERS],
        "machine": machine if is_timed else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:10]


def finish_plan(key: str, budget: Budget, table: Table, found: Found) -> Plan:
    """Return the plan of these candidates: its steps, and how many of them the budget is enough for."""
    candidates = tuple(one for one in found if isinstance(one, Candidate))
    left_out = tuple(one for one in found if isinstance(one, LeftOut))
    folds, repeats = table.folds, repeats_for(table.facts) if table.folds else 1
    steps = order_steps(candidates, folds, repeats, budget)
    planned = count_planned(steps, candidates, budget)
    return Plan(key, budget, table.facts, candidates, left_out, steps, planned, folds, repeats)


def plan_path(settings: Settings, key: str) -> Path:
    """Return the path of a plan."""
    return Path(settings.paths.output).expanduser() / "sweeps" / key / PLAN


def read_plan(path: Path) -> Plan | None:
    """Return the plan in a file; None if there is none or it is damaged."""
    try:
        return Plan.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_plan(plan: Plan, path: Path) -> Plan:
    """Write a plan unless another process has written one meanwhile, and return the one that is on disk.

    Its times may differ from those of this plan, and that process may be searching by it already. The lock is held for
    this moment only, so a plan can be shown while a search runs.
    """
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(LOCK)):
        if (kept := read_plan(path)) is not None:
            return kept
        write_plan(plan, path)
    return plan


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan; a half-written file is never taken for one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        part.write_text(json.dumps(plan.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
