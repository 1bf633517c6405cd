"""Reports of made-up numbers."""

from __future__ import annotations

import numpy as np

from runner.probing.results import Line, ProbeReport, Right, TaskReport

TASKS = ("past_present", "subj_number")


def made_report(accuracy: float = 0.8, model: str = "tiny", rows: int = 400) -> tuple[ProbeReport, Right]:
    """Two semantic tasks with two layers each; the second layer has the accuracy, the first 0.6."""
    right: Right = {}
    reports = []
    for number, task in enumerate(TASKS):
        shuffled = np.random.default_rng(number).permutation(rows)
        right[task] = {"mean_0": (shuffled < 0.6 * rows) * 1.0, "mean_1": (shuffled < accuracy * rows) * 1.0}
        lines = [
            Line("mean", 0, 0.6, 0.6, 0.55, 0.65, 0.58, 0.55, 0.99, 1.01, 0.0),
            Line("mean", 1, accuracy, accuracy, accuracy - 0.04, accuracy + 0.04, 0.6, 0.55, 0.7, 1.4, 0.2),
        ]
        counts = {"train": 900, "select": 100, "report": rows}
        reports.append(TaskReport(task, "semantic", 2, counts, 0.5, lines))
    return ProbeReport({"data": "xprobe"}, "xprobe-linear", model, reports, ["a note"], 1.5, "now", "then"), right
