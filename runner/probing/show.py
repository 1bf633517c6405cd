"""Reports of probes as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runner.probing.arms import Arm, groups_of
from runner.probing.results import Line, ProbeReport, TaskReport, mean_accuracy
from runner.probing.versus import Versus, VersusLine
from runner.record.table import say_below, widen
from runner.sanitize import escape
from runner.statistics.paired import holm_p_values

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STAR = "*: not above the majority class or the random encoder, by its interval"


def show_report(report: ProbeReport, console: Console, by: str = "task") -> None:
    """Print the best layer of each task, and means over groups; by=layer: the accuracy of every layer."""
    widen(console)
    say_below(f"{report.name} of {report.model}: {sum(task.rows['report'] for task in report.tasks):,} rows", console)
    if by == "layer":
        for pool in dict.fromkeys(line.pool for task in report.tasks for line in task.lines):
            console.print(_layers(report, pool))
            say_below(f"accuracy by layer, {pool} of the tokens; layer 0: the embeddings", console)
    else:
        console.print(_tasks(report))
        for group, tasks in report.groups().items():
            if len(tasks) == 1 and tasks[0].name == group:
                continue
            names = ", ".join(task.name for task in tasks)
            say_below(f"{group}: {mean_accuracy(tasks):.3f}, the mean over {names}", console)
        if any(is_at_baseline(task) for task in report.tasks):
            say_below(STAR, console)
        say_below("best: on the selection rows; bits: needed to send a label; all layers: by=layer", console)
    for note in report.notes:
        say_below(f"note: {note}", console)


def is_at_baseline(task: TaskReport) -> bool:
    """Does the interval of the best layer reach down to the majority class, or the same layer of the random encoder?"""
    best = task.best
    return best.low <= max(task.majority, best.random or 0.0)


def one_line(report: ProbeReport) -> str:
    """Return the result in one line: the mean of each group, or of all tasks."""
    groups = report.groups() or {"all tasks": report.tasks}
    return f"{report.name}: " + ", ".join(f"{name} {mean_accuracy(tasks):.3f}" for name, tasks in groups.items())


def _table(first: str, names: tuple[str, ...]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold", min_width=12)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _tasks(report: ProbeReport) -> Table:
    names = ("major.", "random", "best", "acc.", "95 %", "select.", "bits", "info")
    table = _table("task", names)
    for task in report.tasks:
        best = task.best
        table.add_row(
            escape(task.name), f"{task.majority:.3f}", _number(best.random), best.name,
            f"{best.accuracy:.3f}{'*' if is_at_baseline(task) else ' '}", f"{best.low:.3f}-{best.high:.3f}",
            _number(best.selectivity), _number(best.bits, 2), _number(best.information, 2),
        )  # fmt: skip
    return table


def _layers(report: ProbeReport, pool: str) -> Table:
    layers = sorted({line.layer for task in report.tasks for line in task.lines if line.pool == pool})
    table = _table("task", tuple(str(layer) for layer in layers))
    for task in report.tasks:
        by_layer: dict[int, Line] = {line.layer: line for line in task.lines if line.pool == pool}
        if by_layer:  # sentences, words and spans are pooled in their own ways
            table.add_row(escape(task.name), *(f"{by_layer[layer].accuracy:.3f}".lstrip("0") for layer in layers))
    return table


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def show_arms(arms: Sequence[Arm], console: Console) -> None:
    """Print many models side by side, by group of tasks, each with its difference from the first."""
    widen(console)
    table = _table("model", ("tasks", "seeds", "accuracy", "95 %", "minus the first", "p"))
    groups = groups_of(arms)
    tested = {(group, arm.name): arm.against(arms[0], group) for group in groups for arm in arms[1:]}
    corrected = iter(holm_p_values([found[0] for found in tested.values() if found]))
    for group in groups:
        for arm in arms:
            ends, found = arm.interval(group), tested.get((group, arm.name))
            less = f"{arm.difference(arms[0], group):+.3f}" if arm is not arms[0] else ""
            table.add_row(
                escape(arm.name), group, str(len(arm.reports)), f"{arm.mean(group):.3f}",
                f"{ends[0]:.3f}-{ends[1]:.3f}" if ends else "-",
                f"{less} [{found[1].low:+.3f}, {found[1].high:+.3f}]" if found else less,
                f"{next(corrected):.3f}" if found else "",
            )  # fmt: skip
        table.add_section()
    console.print(table)
    say_below(
        "intervals and tests over the seeds of the models (t), paired by seeds in common; p: Holm, over all of this "
        "table; two models: run probe A B",
        console,
    )


def show_versus(found: Versus, console: Console) -> None:
    """Print two models side by side: each task at the best layer of each model, and the means over groups."""
    widen(console)
    say_below(f"A: {found.first}", console)
    say_below(f"B: {found.second}", console)
    table = _table("task", ("rows", "A", "B", "B - A", "95 %", "p"))
    for lines in (found.tasks, found.groups):
        for line in lines:
            table.add_row(*_versus_cells(line))
        table.add_section()
    console.print(table)
    say_below("the same rows are drawn for both (bootstrap); p of the tasks: Holm, over all of them", console)


def _versus_cells(line: VersusLine) -> tuple[str, ...]:
    less = line.difference
    return (
        escape(line.name), f"{line.rows:,}", f"{line.first:.3f}", f"{line.second:.3f}", f"{less.mean:+.3f}",
        f"[{less.low:+.3f}, {less.high:+.3f}]", f"{line.p:.3f}",
    )  # fmt: skip
