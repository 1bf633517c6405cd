"""The splits of the built-in dataset: three seeds of the generator; no row occurs in two splits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.columns import group_column
from data.sources.demo import LABELS, generate_demo
from data.sources.raw import RawData, RawSplit
from data.targets.choice import column_target
from data.targets.label_column import LabelColumn

KEPT_ROWS = 20_000  # largest split that is cached: a few megabytes
_kept = lru_cache(maxsize=6)(generate_demo)  # the stages of a chain read the same three splits, which takes 0.5 s


def read_demo(settings: DataSettings, wanted: str = "auto") -> RawData:
    """Generate train, val and test; DataError for a column in data.group, which this dataset does not have.

    wanted: the name of the target, as in `column_target`.
    """
    import pyarrow as pa

    if group_column(settings.group):
        raise DataError(f"data.group={settings.group}: data={settings.name} has no such column. Leave it out")
    if settings.demo_task not in LABELS:
        raise DataError(f"data.demo_task={settings.demo_task} needs its own task. Try: task={settings.demo_task}")
    sizes = {"train": settings.demo_rows, "val": settings.demo_rows // 6, "test": settings.demo_rows // 6}
    values, seen = LABELS[settings.demo_task], set[tuple[str, str | None]]()
    target = column_target(settings, LabelColumn(values), "data=demo", wanted)
    data = RawData(target, {}, notes=target.notes)
    for offset, (name, count) in enumerate(sizes.items()):
        generate = _kept if count <= KEPT_ROWS else generate_demo
        rows = generate(settings.demo_task, count, 3 * settings.split_seed + offset)
        rows = [row for row in rows if (row[0], row[1]) not in seen]
        seen |= {(row[0], row[1]) for row in rows}
        columns = {"text": [row[0] for row in rows]}
        if settings.text_pair:
            columns["text_pair"] = [row[1] or "" for row in rows]
        column = LabelColumn(values)
        for number, row in enumerate(rows, 1):
            column.add(values[row[2]], number)
        labels, _ = target.read(column, settings, name, "data=demo")
        data.splits[name] = RawSplit(pa.table(columns), labels, np.arange(len(rows)), np.arange(1, len(rows) + 1))
    return data
