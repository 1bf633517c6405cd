"""A comparison as data: CSV and Parquet, one line for each group or run, with every recorded number."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

from runner.compare.axes import LATENCY, SIZE, TIME
from runner.compare.folds import by_fold, fold_of
from runner.compare.group_pairs import FoldPaired
from runner.compare.pairs import Paired
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run
from runner.record.baseline import is_at_baseline
from runner.record.run_names import shown_setting
from runner.sanitize import cell
from runner.statistics import paired as stats

Line = dict[str, bool | int | float | str | None]  # of a table: values by the names of its columns


def group_records(comparison: Comparison) -> list[Line]:
    """Return one dictionary for each group, all with the same keys.

    They hold the score, intervals, the test, the settings that vary, and mean costs.
    """
    keys = comparison.varying
    costs = sorted({name for row in comparison.rows for name in row.costs} - {LATENCY, SIZE, TIME})
    lines = [_group_line(row, keys, costs) for row in comparison.rows]
    if any(row.group.is_folded for row in comparison.rows):
        return [line | _fold_line(row) for line, row in zip(lines, comparison.rows)]
    return lines


def _group_line(row: Row, keys: list[str], costs: list[str]) -> Line:
    bootstrap = None if row.group.is_folded else stats.seed_bootstrap(row.group.values(row.metric))
    found = row.paired if isinstance(row.paired, Paired) else None
    intervals = {"seeds": row.intervals.seeds, "examples": row.intervals.examples}
    return {
        "group": row.group.name,
        "metric": row.metric,
        "mean": row.mean,
        "sd": row.sd,
        "n": row.n,
        "low": row.interval.low if row.interval else None,
        "high": row.interval.high if row.interval else None,
        "interval": row.interval.over if row.interval else None,
        **{f"{kind}_{end}": value for kind, ends in intervals.items() for end, value in _ends(ends)},
        "bootstrap_low": bootstrap.low if bootstrap else None,
        "bootstrap_high": bootstrap.high if bootstrap else None,
        "at_baseline": row.at_baseline,
        "baseline": row.is_baseline,
        "difference": found.difference if found else None,
        "difference_low": found.low if found else None,
        "difference_high": found.high if found else None,
        "p_examples": found.p_examples if found else None,
        "p_seeds": found.p_seeds if found else None,
        "p_holm": found.p_holm if found else None,
        "test": found.test if found else None,
        "verdict": row.verdict,
        "front": row.fronts,
        "seeds": " ".join(map(str, row.group.seeds)),
        "runs": " ".join(run.identity for run in row.group.members),
        **{key: shown_setting(key, row.group.settings) for key in keys},
        **{name: row.costs.get(name) for name in costs},
    }


def _fold_line(row: Row) -> Line:
    """Return the further columns of a table in which a group has folds."""
    found = row.paired if isinstance(row.paired, FoldPaired) else None
    folds = by_fold(row.group.runs) if row.group.is_folded else {}
    return {
        "folds": " ".join(f"{repeat}/{fold}" for repeat, fold in folds),
        "p_folds": found.p_folds if found else None,
        "models_difference": found.models_difference if found else None,
        "models_low": found.models_low if found else None,
        "models_high": found.models_high if found else None,
        "models_verdict": found.models_in_words() if found else "",
    }


def _fold_places(row: Row, run: Run) -> dict[str, int | str | None]:
    """Return which fold a run held out; None of runs without folds."""
    repeat, fold = fold_of(run) if row.group.is_folded else (None, None)
    return {"fold_seed": repeat, "fold": fold}


def _ends(interval: stats.Interval | None) -> list[tuple[str, float | None]]:
    """Return the ends of an interval by name, None if there is no interval."""
    return [("low", interval.low if interval else None), ("high", interval.high if interval else None)]


def run_records(comparison: Comparison) -> list[Line]:
    """Return one dictionary for each run, all with the same keys: group, seed, varying settings, all metrics."""
    keys = comparison.varying
    runs = [(row, run) for row in comparison.rows for run in row.group.runs]
    names = sorted({name for _, run in runs for name in run.metrics})
    is_folded = any(row.group.is_folded for row in comparison.rows)
    return [
        {
            "run": run.identity,
            "group": row.group.name,
            "seed": run.seed,
            **(_fold_places(row, run) if is_folded else {}),
            "started": run.record.started,
            "at_baseline": is_at_baseline([run.metrics], run.primary),
            **{key: shown_setting(key, row.group.settings) for key in keys},
            **{name: run.metrics.get(name) for name in names},
        }
        for row, run in runs
    ]


def write_groups_csv(comparison: Comparison, stream: TextIO) -> None:
    """Write the content of groups.csv to a stream."""
    write_csv(group_records(comparison), stream)


def write_csv(lines: list[Line], stream: TextIO) -> None:
    """Write dictionaries with the same keys as CSV; None is an empty cell, text like a formula gets an apostrophe."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(cell, lines[0]))
    writer.writerows(map(cell, line.values()) for line in lines)


def write_parquet(lines: list[Line], path: Path) -> None:
    """Write dictionaries with the same keys as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(lines), path)
