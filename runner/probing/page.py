"""The page of probes: a heat map of tasks by layers for each pooling, and a table of all numbers."""

from __future__ import annotations

from pathlib import Path

from runner.probing.line_table import Row, rows_of
from runner.probing.results import Line, ProbeReport, TaskReport
from runner.report.charts import Heat, heat_map
from runner.report.markup import Markup
from runner.report.page import Section, choices, page, write_page
from runner.report.tables import Cell, Heading, table
from runner.version import VERSION

NUMBERS = {  # columns of the table: titles
    "layer": "layer", "accuracy": "acc.", "low": "95 % from", "high": "to", "majority": "majority", "random": "random",
    "selectivity": "selectivity", "bits": "bits", "compression": "compression", "information": "info",
    "spearman": "Spearman",
}  # fmt: skip
TINTS = (
    "the darker a cell, the larger the share of a guess's mistakes that the probe avoids: the guess is the most "
    "frequent class, for trees one without vectors; layer 0: the embeddings"
)


def write_probe_page(folder: Path, report: ProbeReport) -> Path:
    """Write the page of a report beside it, and return its path."""
    path = folder / f"{report.name}.html"
    write_page(path, probe_page(report))
    return path


def probe_page(report: ProbeReport) -> str:
    """Return the page of a report."""
    pools = list(dict.fromkeys(line.pool for task in report.tasks for line in task.lines))
    maps = choices([(pool, _map(report, pool)) for pool in pools])
    headings: list[Heading | str] = ["task", "pool", *(Heading(title, is_number=True) for title in NUMBERS.values())]
    lines = table(headings, [_cells(row) for row in rows_of(report)], is_sortable=True, name="lines")
    sections = [
        Section("Scores by layer", maps, "layers", [TINTS, *report.notes], is_wide=True),
        Section("All probes", lines, "all", is_wide=True),
    ]
    facts = f"Probed {report.when} in {report.seconds:,.0f} s. Bertier {VERSION}."
    return page(f"{report.name} of {report.model}", sections, facts=facts)


def _map(report: ProbeReport, pool: str) -> Markup:
    layers = sorted({line.layer for task in report.tasks for line in task.lines if line.pool == pool})
    rows = {}
    for task in report.tasks:
        found = {line.layer: line for line in task.lines if line.pool == pool}
        if found:
            rows[task.name] = [_heat(task, found.get(layer)) for layer in layers]
    return heat_map([*map(str, layers)], rows, corner="task \\ layer", name=f"scores by layer, {pool}")


def _heat(task: TaskReport, line: Line | None) -> Heat | None:
    if line is None:
        return None
    above = (line.accuracy - task.majority) / (1 - task.majority) if task.majority < 1 else 0.0
    beside = [
        f"{name} {value:.3f}"
        for name, value in (("random", line.random), ("control", line.control))
        if value is not None
    ]
    tip = ", ".join([f"{task.score} {line.accuracy:.3f} [{line.low:.3f}, {line.high:.3f}]", *beside])
    return Heat(f"{line.accuracy:.3f}", above, f"{task.name}, {line.name}: {tip}; guess {task.majority:.3f}")


def _cells(row: Row) -> list[Cell | str]:
    numbers = [row[name] for name in NUMBERS]
    shown = [Cell(_number(value), value) for value in numbers]
    return [str(row["task"]), str(row["pool"]), *shown]


def _number(value: str | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
