"""The runs of one command side by side, in a table that fits the terminal: names first, then as many numbers as fit.

    show_runs(records, Path("outputs"))

Groups, intervals and marks are those of `run compare` and of the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.compare.analyse import analyse
from runner.compare.baselines import BaselineLine, baseline_lines
from runner.compare.folds import text_of
from runner.compare.groups import make_groups
from runner.compare.rows import Comparison, Row
from runner.compare.select import Selection, select_records
from runner.record.baseline import MARK, MEANING
from runner.record.fitted_table import Column, fitted_table
from runner.record.record import RunRecord
from runner.record.selection import best_record
from runner.record.shown_costs import STAR, STAR_OF_SIZE, STAR_OF_TIME, answer_of, score_text, size_of
from runner.record.table import say_below, widen

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Number:
    """A column of numbers: its cell for a row and for a baseline, and its rank; the highest are dropped first.

    legend: what the heading means, if that is not obvious.
    """

    title: str
    rank: int
    cell: Callable[[Row], str]
    of_baseline: Callable[[BaselineLine], str] = lambda _: ""
    legend: str = ""


def show_runs(records: Iterable[RunRecord], output: Path, console: Console | None = None) -> None:
    """Print the finished runs among the records, grouped over seeds, a table for each metric and data set.

    output: the folder of run folders, whose predictions give the intervals that no record holds.
    """
    from rich.console import Console

    selection = select_records(records, output)
    if not selection.runs:
        return
    console = console or Console(highlight=False)
    widen(console)
    tables: dict[tuple[str, str], list[RunRecord]] = {}
    for group in make_groups(selection.runs):
        examples = group.examples(group.headline.partition("/")[0])
        tables.setdefault((group.headline, examples), []).extend(run.record for run in group.runs)
    found = [analyse(Selection(select_records(some, output).runs)) for some in tables.values()]
    shown = [name for comparison in found for name in _print(comparison, console)]
    for line in _legend([row for comparison in found for row in comparison.rows], shown):
        say_below(line, console)


def _print(comparison: Comparison, console: Console) -> list[str]:
    """Print one table, and return the titles of the columns that had room."""
    rows, lines = comparison.rows, baseline_lines(comparison.rows)
    names = [row.label for row in rows] + [line.name for line in lines]
    columns = [Column("group" if any(row.n > 1 for row in rows) else "run", 0, names, is_name=True)]
    for number in _numbers(rows):
        own = [number.cell(row) for row in rows]
        if any(own):
            columns.append(Column(number.title, number.rank, own + [number.of_baseline(line) for line in lines]))
    title = f"compared: {rows[0].metric} on {rows[0].group.runs[0].record.dataset}"
    table, shown = fitted_table(title, columns, console.width, [len(rows) - 1] if lines else ())
    console.print(table)
    return shown


def _numbers(rows: list[Row]) -> list[Number]:
    has_seeds = any(len(row.group.seeds) > 1 for row in rows)
    over = f"the examples{' and the seeds' * has_seeds}"
    if any(row.group.is_folded for row in rows):
        over = "the rows held out"
    if any(row.intervals.folds for row in rows):
        over = "the folds, corrected for training rows that overlap"
    return [
        Number("score", 0, lambda row: "" if row.mean is None else score_text(row.mean), BaselineLine.score),
        Number("95 %", 1, _interval, legend=f"95 %: the score's interval over {over}"),
        Number("folds", 2, lambda row: text_of(row.group.settings, row.group.runs) if row.group.is_folded else ""),
        Number(
            "seeds",
            2,
            lambda row: str(len(row.group.seeds)) if has_seeds else "",
            legend="seeds: the score is their mean",
        ),
        Number("MB", 3, _size, BaselineLine.in_mb, "MB: all files that an answer needs"),
        Number("us", 4, _time, BaselineLine.in_us, "us: from a string to its label"),
        Number("best run" if any(len(row.group.runs) > 1 for row in rows) else "id", 5, _best_of),
        Number("parameters", 6, _count("cost/params_deployed"), legend="parameters: that an answer needs"),
        Number("train s", 7, lambda row: f"{row.costs['time/train_s']:,.1f}" if "time/train_s" in row.costs else ""),
        Number("trained", 8, _count("cost/params_trained"), legend="trained: parameters that the run trained"),
    ]


def _best_of(row: Row) -> str:
    records = [run.record for run in row.group.runs]
    return (best_record(records) or records[0]).identity


def _interval(row: Row) -> str:
    found = row.interval
    return f"{score_text(found.low, 3)}-{score_text(found.high, 3)}" if found else ""


def _size(row: Row) -> str:
    return found.in_mb() if (found := size_of(row.costs)) else ""


def _time(row: Row) -> str:
    return found.text(",.0f") if (found := answer_of(row.costs)) else ""


def _count(name: str) -> Callable[[Row], str]:
    return lambda row: f"{row.costs[name]:,.0f}" if name in row.costs else ""


def _legend(rows: list[Row], shown: list[str]) -> Iterable[str]:
    """Sentences about the columns that are shown, and about what is marked in them."""
    said = [column.legend for column in _numbers(rows) if column.title in shown and column.legend]
    if said:
        yield "; ".join(said)
    if any(STAR in _size(row) for row in rows) and "MB" in shown:
        yield STAR_OF_SIZE
    if any(STAR in _time(row) for row in rows) and "us" in shown:
        yield STAR_OF_TIME
    if any(row.at_baseline for row in rows):
        yield f"{MARK}: {MEANING}"
