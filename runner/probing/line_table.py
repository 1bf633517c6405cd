"""All lines of a report as one table: a row for each task, pooling and layer, with its accuracy and further numbers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from data.part_file import written_whole
from runner.probing.results import ProbeReport

Row = dict[str, str | int | float | None]


def rows_of(report: ProbeReport) -> list[Row]:
    """Return the rows, all with the same columns; None if a number was not requested, or the task has none."""
    return [
        {"model": report.model, "task": task.name, "group": task.group, "score": task.score, "classes": task.classes}
        | {f"rows_{which}": count for which, count in task.rows.items()}
        | asdict(line)
        | {"selectivity": line.selectivity, "majority": task.majority, "is_best": line == task.best}
        for task in report.tasks
        for line in task.lines
    ]


def write_rows(folder: Path, report: ProbeReport) -> Path:
    """Write the table as Parquet, whole or not at all; return its path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / f"{report.name}.parquet"
    numbers = ("random", "control", "bits", "compression", "information", "spearman", "selectivity")
    table = pa.Table.from_pylist(rows_of(report))
    for name in numbers:  # a column without any number has its type all the same
        table = table.set_column(table.column_names.index(name), name, table.column(name).cast(pa.float64()))
    with written_whole(path) as part:
        pq.write_table(table, part)
    return path
