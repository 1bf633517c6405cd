"""Makes the plan of a search before anything is trained, and keeps it: plan.json is obeyed wherever it exists.

    plan = make_plan(settings, words, budget)

A clock may decide how many of its steps are done, never which ones or in which order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from data.load import Rows, read_rows
from data.stores.build_once import SharedCache
from runner.best.candidates import CandidateFinder, Found
from runner.best.check import check_budget, check_facts, check_reach, goal_of
from runner.best.draft import Drawer
from runner.best.estimate import Estimator
from runner.best.facts import read_facts
from runner.best.portfolio import portfolio_digest
from runner.best.rates import REFERENCE, known_rates, machine_class
from runner.best.steps import count_planned, fold_plan, order_steps
from runner.best.types import Budget, Candidate, Facts, LeftOut, Plan
from runner.best.unlabelled import count_unlabelled
from runner.best.weights_at_hand import WeightsAtHand
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.machine.device import choose_device
from runner.record.identity import identity_settings
from runner.sanitize import say
from runner.schema import Settings
from runner.tasks.base import Task
from runner.tasks.make import target_of, task_of_labels
from runner.version import NUMBERS, VERSION

PLAN = "plan.json"
SELECT_ROWS, SELECT_FRACTION = 1000, 0.1  # of a held-out split: the larger of both, at most data.select_max_rows


def make_plan(settings: Settings, words: Sequence[str], budget: Budget, notify: Callable[[str], None] = say) -> Plan:
    """Return the plan for a command, from its folder if it is there, else made and written there.

    settings: of the command with any model; words: its overrides, which every candidate shares. Raises the user's
    errors for a budget that nothing can meet, and for data that nothing can be learnt from.
    """
    check_budget(budget, settings)
    cache = SharedCache(Path(settings.paths.cache).expanduser(), notify)
    rows = read_rows(settings.data, cache, target_of(settings))
    task = task_of_labels(rows.task, settings)
    goal = goal_of(budget, task)
    shared = (*held_out_words(rows, settings), *goal_words(goal, task))
    if shared:
        settings = resolve(compose([*words, *shared]))
        rows = read_rows(settings.data, cache, target_of(settings))
    budget = replace(budget, goal=goal)
    facts = check_facts(count_unlabelled(read_facts(rows, cache), rows, settings, budget, cache), budget)
    machine = machine_class(choose_device(settings.device).type)
    key = plan_key(rows, settings, facts, budget, machine)
    path = plan_path(settings, key)
    if (kept := read_plan(path)) is not None:
        return kept
    is_timed = budget.steps is None and budget.minutes is not None
    rates = known_rates(cache.folder, machine, notify) if is_timed else REFERENCE
    timed = machine if budget.max_us is not None else None
    estimator = Estimator(Drawer(rows, cache), facts, rates, cache, timed)
    finder = CandidateFinder((*words, *shared), shared, facts, budget, estimator.estimate, WeightsAtHand())
    plan = finish_plan(key, budget, facts, finder.find())
    check_reach(plan, finder.beyond)
    write_plan(plan, path)
    return plan


def held_out_words(rows: Rows, settings: Settings) -> tuple[str, ...]:
    """Return the overrides by which a split that is cut off train has enough rows to select by; () where it has."""
    labelled = len(rows.raw.splits["train"]) + (len(rows.raw.splits[rows.select]) if rows.is_cut else 0)
    is_own = settings.data.select_fraction != SELECT_FRACTION  # the command says otherwise
    if not rows.is_cut or is_own or labelled >= SELECT_ROWS / SELECT_FRACTION or labelled < 2 * SELECT_ROWS:
        return ()
    return (f"data.select_fraction={SELECT_ROWS / labelled:.4f}",)


def goal_words(goal: str, task: Task) -> tuple[str, ...]:
    """Return the override by which epochs are selected by the goal; () where they are anyway."""
    if goal == task.metrics[0]:
        return ()
    return (f"data.metrics=[{','.join(dict.fromkeys((goal, *task.metrics)))}]",)


def plan_key(rows: Rows, settings: Settings, facts: Facts, budget: Budget, machine: str) -> str:
    """Return the ten hexadecimal digits of a plan: a hash of all that it depends on."""
    is_timed = budget.max_us is not None or (budget.steps is None and budget.minutes is not None)
    content = {
        "data": rows.fingerprints,
        "labels": [rows.task.target, *rows.task.label_names],
        "settings": identity_settings(settings),
        "budget": asdict(budget) | {"unlabelled": facts.unlabelled_digest, "jobs": budget.jobs if is_timed else None},
        "portfolio": portfolio_digest(),
        "code": [VERSION, NUMBERS],
        "machine": machine if is_timed else None,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:10]


def finish_plan(key: str, budget: Budget, facts: Facts, found: Found) -> Plan:
    """Return the plan of these candidates: its steps, and how many of them the budget is enough for."""
    candidates = tuple(one for one in found if isinstance(one, Candidate))
    left_out = tuple(one for one in found if isinstance(one, LeftOut))
    folds, repeats = fold_plan(facts)
    steps = order_steps(candidates, folds, repeats)
    return Plan(
        key, budget, facts, candidates, left_out, steps, count_planned(steps, candidates, budget), folds, repeats
    )


def plan_path(settings: Settings, key: str) -> Path:
    """Return the place of a plan."""
    return Path(settings.paths.output).expanduser() / "sweeps" / key / PLAN


def read_plan(path: Path) -> Plan | None:
    """Return the plan in a file, None where there is none or it is damaged."""
    try:
        return Plan.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan; a half-written file never looks like one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PLAN}.part")
    part.write_text(json.dumps(plan.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
