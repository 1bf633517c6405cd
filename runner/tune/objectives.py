"""The objectives of a search: metric names of runner/record/metrics.py, or `select`, the metric that selects the best
epoch.

    select               val/accuracy of data=imdb, tune/accuracy of data=sst2, ...
    select/f1            another score of the same split
    cost/bytes_deployed  a cost; whether more or less is better is known from the list of metrics

A score of a reported split is refused: a test set that guided a search is no longer an unbiased test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from data.settings import DataSettings, TaskSettings, split_names
from runner.errors import ConfigError
from runner.record.metrics import check, direction, is_split
from runner.record.record import RunRecord
from runner.tasks import likely_task

KEY = "hydra.sweeper.objectives"


def selection_metric(data: DataSettings, task: TaskSettings) -> str:
    """Return the metric that selects the best epoch of such a run, as far as it is known before the data is read."""
    metrics = likely_task(task, data).metrics_by(data)
    return f"{split_names(data)[0]}/{metrics[0]}"


def objective_metric(objective: str, selected_by: str) -> str:
    """Return the name under which a record holds the objective; `selected_by`: the selection metric of that run."""
    if objective == "select":
        return selected_by
    if objective.startswith("select/"):
        return f"{selected_by.split('/')[0]}/{objective.split('/', 1)[1]}"
    return objective


def optuna_direction(objective: str, selected_by: str) -> Literal["maximize", "minimize"]:
    """Return whether Optuna has to maximize or minimize the objective.

    selected_by: the selection metric of the trials.
    """
    return "maximize" if direction(objective_metric(objective, selected_by)) == "higher" else "minimize"


def agreed_directions(objectives: list[str], selected_by: Sequence[str]) -> list[Literal["maximize", "minimize"]]:
    """Return whether to maximize or minimize each objective; raise ConfigError if trials disagree on it.

    selected_by: the selection metric of each trial.
    """
    found = {tuple(optuna_direction(objective, metric) for objective in objectives) for metric in selected_by}
    if len(found) > 1:
        names = ", ".join(dict.fromkeys(selected_by))
        raise ConfigError(
            f"{KEY}: trials are selected by {names}: one should rise and the other fall, so they cannot be compared. "
            "Try: a study for each of them"
        )
    return list(found.pop())


def objective_problems(
    objectives: list[str], pruner: str | None, data: DataSettings, task: TaskSettings, *, is_timed: bool
) -> list[str]:
    """Return one line for every objective that a search on these data cannot have, with the cure.

    is_timed: whether the trials measure latency.
    """
    selected_by = selection_metric(data, task)
    found = [p for name in objectives if (p := _problem(name, selected_by, data, is_timed))]
    if not objectives:
        found.append(f"{KEY} is empty. Try: '{KEY}=[select]'")
    if len(set(objectives)) < len(objectives):
        found.append(f"{KEY} names an objective twice. Try: '{KEY}=[{','.join(dict.fromkeys(objectives))}]'")
    if pruner and not found and [objective_metric(name, selected_by) for name in objectives] != [selected_by]:
        found.append(
            f"hydra.sweeper.pruner={pruner} ends runs by their selection metric, so it must be the only objective. "
            f"Try: hydra.sweeper.pruner=null, or '{KEY}=[select]'"
        )
    return found


def _problem(objective: str, selected_by: str, data: DataSettings, is_timed: bool) -> str | None:
    name = objective_metric(objective, selected_by)
    if "/" not in name:
        known = "it is `select` or a metric such as cost/bytes_deployed"
        return f"{KEY}: no objective {name!r}; {known}. Try: '{KEY}=[select]'"
    try:
        better = check(name).direction
    except KeyError as error:
        return f"{KEY}: {error.args[0]}. Try: '{KEY}=[select]'"
    split, score = name.split("/", 1)
    select, _ = split_names(data)
    if is_split(split) and split not in ("train", select):
        return (
            f"{KEY}: {name} is not a score of the selection split, which is `{select}` with "
            f"data={data.name}; a reported split that guides a search is no longer a test. "
            f"Try: '{KEY}=[select/{score}]'"
        )
    if better == "none":
        return f"{KEY}: {name} is only a fact: no value of it is better than another. Try: '{KEY}=[select]'"
    if split == "speed" and not is_timed:
        return f"{KEY}: {name} is not measured with measure=off. Try: measure=quick"
    return None


def objective_value(objective: str, record: RunRecord, wanted: str | None = None) -> float:
    """Return the objective's value in the record of a finished run; raise ConfigError if such a run has no such metric.

    wanted: maximize | minimize, as the study does; ConfigError if the run's metric needs the opposite.
    """
    selected_by, metrics = record.data.selection or "", record.metrics
    name = objective_metric(objective, selected_by)
    split = name.split("/")[0]
    if name not in metrics or (is_split(split) and split not in ("train", selected_by.split("/")[0])):
        split = selected_by.split("/")[0]
        there = [n for n in metrics if n.startswith((f"{split}/", "cost/", "speed/answer_us", "speed/latency_ms_p50"))]
        raise ConfigError(f"{KEY}: run {record.identity} has no {name} to optimize. It has: {', '.join(there)}")
    better = "maximize" if direction(name) == "higher" else "minimize"
    if wanted and better != wanted:
        raise ConfigError(
            f"{KEY}: run {record.identity} was selected by {name}, which this study would {wanted}. "
            "Try: one study for each kind of task, with data.task=... or data.metrics=... for all its trials"
        )
    return float(metrics[name]) if math.isfinite(metrics[name]) else math.nan
