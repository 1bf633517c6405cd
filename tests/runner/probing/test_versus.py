"""Two models on the same rows: a difference with its interval, and results that cannot be compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import ConfigError
from runner.probing.results import ProbeReport, Right
from runner.probing.tasks import DISTANCE, WORDS
from runner.probing.versus import versus
from tests.runner.probing.reports import TASKS, made_report


def test_the_difference_is_paired_and_the_tasks_are_corrected() -> None:
    found = versus(made_report(0.80, "A"), made_report(0.86, "B"))
    assert [line.name for line in found.tasks] == [*TASKS]
    (group,) = found.groups
    assert group.name == "semantic" and group.rows == 800
    assert group.difference.mean == pytest.approx(0.06)
    assert 0 < group.difference.low < 0.06 < group.difference.high
    assert all(line.p >= line.difference.p for line in found.tasks)


def test_a_model_against_itself_differs_in_nothing() -> None:
    found = versus(made_report(), made_report())
    assert all((line.difference.mean, line.p) == (0.0, 1.0) for line in [*found.tasks, *found.groups])


def test_models_that_read_other_rows_cannot_be_compared() -> None:
    with pytest.raises(ConfigError, match=r"A reads 400 of the reported rows, B 300.*Try: each model by itself"):
        versus(made_report(model="A", rows=400), made_report(model="B", rows=300))
    first, (report, right) = made_report(), made_report()
    shorter = {task: {name: values[1:] for name, values in lines.items()} for task, lines in right.items()}
    with pytest.raises(ConfigError, match="they cannot be compared row by row"):  # as many words of fewer sentences
        versus(first, (report, shorter))


def test_tasks_of_the_same_sentences_are_resampled_together() -> None:
    (one, right_one), (two, right_two) = made_report(0.80, "A"), made_report(0.86, "B")
    name = one.tasks[0].name

    def twice(report: ProbeReport, right: Right) -> tuple[ProbeReport, Right]:
        tasks = [replace(report.tasks[0], name=task, group=WORDS) for task in ("pos", "dependency")]
        return replace(report, tasks=tasks), {task.name: right[name] for task in tasks}

    found = versus(twice(one, right_one), twice(two, right_two))
    (group,) = found.groups
    assert group.name == WORDS
    assert group.difference == found.tasks[0].difference, "the second task says nothing that the first does not"


def test_a_structural_task_is_no_group_beside_itself() -> None:
    report, right = made_report()
    tree = replace(report.tasks[0], name=DISTANCE, group=DISTANCE, score="UUAS")
    with_tree = replace(report, tasks=[*report.tasks, tree])
    known = (with_tree, right | {DISTANCE: right[report.tasks[0].name]})
    found = versus(known, known)
    assert [line.name for line in found.groups] == ["semantic"] and found.tasks[-1].name == DISTANCE
