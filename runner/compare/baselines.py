"""Scores that a comparison is measured against without a row of its own: the majority class and the n-gram model."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from runner.compare.rows import Row
from runner.record.baseline import MAJORITY, NGRAM
from runner.tasks import find_task


def baseline_levels(rows: Sequence[Row]) -> list[tuple[str, float]]:
    """Return the recorded baselines of rows of one part, by name; none where the metric is not the headline."""
    runs = [run for row in rows for run in row.group.runs if row.metric == run.primary]
    if not runs:
        return []
    task = find_task(runs[0].record.data.task)
    names = {MAJORITY: task.baseline_name if task else "baseline", NGRAM: "n-gram baseline"}
    found = {name: [run.metrics[key] for run in runs if key in run.metrics] for key, name in names.items()}
    return [(name, fmean(values)) for name, values in found.items() if values]
