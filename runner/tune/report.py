"""The end of a study: its best trial, or the trials that no other beats in every objective, with a line to paste.

Shows the objectives and nothing else; the score on the reported split is for the run that is chosen.
"""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from runner.record.baseline import MARK, MEANING
from runner.sanitize import escape, mask

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


def show_study(study: Study, objectives: list[str], fixed: list[str], where: str) -> bool:
    """Print how many trials ended how, the best ones, and how to repeat the first; False if there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120  # a pipe has no width of its own
    counts = Counter(map(ending_of, study.get_trials(deepcopy=False)))
    ended = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    console.print(escape(f"study {study.study_name}: {ended}; kept in {mask(where)}"), soft_wrap=True)
    best = best_trials(study)
    if not best:
        console.print("no trial was completed, so there is no best one")
        return False
    title = "best trial" if len(objectives) == 1 else "trials that no other beats in every objective"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("trial", "run", *objectives, *best[0].params):
        table.add_column(escape(column), justify="left" if column == "run" else "right")
    for trial in best:
        values = [f"{value:,.6g}" for value in trial.values]
        params = [shown(trial.params[key]) for key in best[0].params]
        run = trial.user_attrs.get("run", "") + (f" ({MARK})" if MARK in trial.user_attrs else "")
        table.add_row(str(trial.number), run, *values, *map(escape, params))
    console.print(table)
    if any(MARK in trial.user_attrs for trial in best):
        console.print(f"{MARK} on the reported split: {MEANING}", soft_wrap=True)
    console.print(escape(f"again: {command(best[0], fixed)}"), soft_wrap=True)
    console.print(f"its record: run show {best[0].user_attrs.get('run', '')}")
    return True


def ending_of(trial: FrozenTrial) -> str:
    """How a trial ended, in a word; a failed one without a reason was interrupted with the whole search."""
    name = trial.state.name.lower()
    return {"fail": "failed" if "reason" in trial.user_attrs else "interrupted"}.get(name, name)


def best_trials(study: Study) -> list[FrozenTrial]:
    """The best trial of one objective, or the Pareto set of several, best in the first objective first."""
    best = study.best_trials[:1] if len(study.directions) == 1 else study.best_trials
    return sorted(best, key=lambda t: t.values[0], reverse=study.directions[0].name == "MAXIMIZE")


def command(trial: FrozenTrial, fixed: list[str]) -> str:
    """The line to paste: one run with the settings of that trial."""
    words = [*fixed, *(f"{key}={value}" for key, value in trial.params.items())]
    return " ".join(["run", *map(shlex.quote, words)])


def shown(value: object) -> str:
    """A parameter as a table shows it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
