"""The end of a study: its best trial, or the Pareto-optimal trials, with a line to paste.

Shows only the objectives; the score on the reported split is to be read for the chosen run only.
"""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from runner.record.baseline import MARK, MEANING
from runner.record.fitted_table import Column, fitted_table
from runner.record.next_step import output_words
from runner.record.table import say_below, widen
from runner.sanitize import escape, mask

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


def show_study(study: Study, objectives: list[str], fixed: list[str], where: str, output: Path) -> bool:
    """Print how many trials ended how, the best ones, and how to repeat the first; False if there is none."""
    console = Console(highlight=False)
    widen(console)
    counts = Counter(map(ending_of, study.get_trials(deepcopy=False)))
    ended = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    console.print(escape(f"study {study.study_name}: {ended}; kept in {mask(where)}"), soft_wrap=True)
    best = best_trials(study)
    if not best:
        console.print("no trial finished, so there is no best one")
        return False
    title = "best trial" if len(objectives) == 1 else "Pareto-optimal trials"
    marks = [f" ({MARK})" if MARK in trial.user_attrs else "" for trial in best]
    columns = [
        Column("trial", 0, [str(trial.number) for trial in best]),
        Column("run", 0, [trial.user_attrs.get("run", "") + mark for trial, mark in zip(best, marks)], is_name=True),
        *(Column(name, 0, [f"{trial.values[place]:,.6g}" for trial in best]) for place, name in enumerate(objectives)),
        Column("settings", 0, [settings_text(trial) for trial in best], is_name=True),
    ]
    console.print(fitted_table(title, columns, console.width)[0])
    if any(marks):
        say_below(f"{MARK} on the reported split: {MEANING}", console)
    console.print(escape(f"again: {mask(command(best[0], fixed))}"), soft_wrap=True)
    shown = " ".join(["run show", best[0].user_attrs.get("run", ""), *output_words(output)])
    console.print(escape(f"its record: {shown}"), soft_wrap=True)
    return True


def ending_of(trial: FrozenTrial) -> str:
    """Return in a word how a trial ended; a failed one without a reason was interrupted together with the search."""
    name = trial.state.name.lower()
    return {"fail": "failed" if "reason" in trial.user_attrs else "interrupted"}.get(name, name)


def best_trials(study: Study) -> list[FrozenTrial]:
    """Return the best trial of one objective, or the Pareto set of several, best in the first objective first.

    Of trials of equal settings, which are one run, the first.
    """
    best = study.best_trials[:1] if len(study.directions) == 1 else study.best_trials
    first: dict[str, FrozenTrial] = {}
    for trial in best:
        first.setdefault(repr(sorted(trial.params.items())), trial)
    return sorted(first.values(), key=lambda t: t.values[0], reverse=study.directions[0].name == "MAXIMIZE")


def command(trial: FrozenTrial, fixed: list[str]) -> str:
    """Return the line to paste: one run with the settings of that trial."""
    words = [*fixed, *(f"{key}={value}" for key, value in trial.params.items())]
    return " ".join(["run", *map(shlex.quote, words)])


def settings_text(trial: FrozenTrial) -> str:
    """Return the settings that a trial tried, as one would type them."""
    return " ".join(f"{key}={shown(value)}" for key, value in trial.params.items())


def shown(value: object) -> str:
    """Return a parameter as a table shows it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
