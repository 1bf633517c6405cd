"""Measures what a model loses in languages that it was not trained on: paired, since the rows are translations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.statistics.answers import Answers
from runner.tasks.base import Task


def transfer_metrics(task: Task, answers: Mapping[str, Answers], parallel: Sequence[str]) -> dict[str, float]:
    """Return the difference of each score to that of the first reported split, with its paired interval and p-value.

    answers: by reported split, the headline first; parallel: the splits with its rows in other languages.
    """
    found: dict[str, float] = {}
    for split in parallel:
        first = next(iter(answers.values()))
        for name in task.metrics:
            score = task.score(name)
            _, p, interval = score.compare([(answers[split], first)])
            key = f"{split}/{name}_difference"
            found[key] = score.value(answers[split]) - score.value(first)
            found |= {f"{key}_low": interval.low, f"{key}_high": interval.high, f"{key}_p": p}
    return found
