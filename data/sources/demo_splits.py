"""The splits of the built-in dataset: three seeds of the generator, without rows that two splits share."""

from __future__ import annotations

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.columns import group_column
from data.sources.demo import LABELS, generate_demo
from data.sources.raw import RawData, RawSplit
from data.targets.labels import LabelColumn, infer_label_meaning


def read_demo(settings: DataSettings) -> RawData:
    """Generate train, val and test; DataError for a column in data.group, which this dataset does not have."""
    import pyarrow as pa

    if group_column(settings.group):
        raise DataError(f"data.group={settings.group}: data={settings.name} has no such column. Leave it out")
    wanted = {"train": settings.demo_rows, "val": settings.demo_rows // 6, "test": settings.demo_rows // 6}
    values, seen = LABELS[settings.demo_task], set[tuple[str, str | None]]()
    meaning = infer_label_meaning(settings, LabelColumn(values), "data=demo")
    data = RawData(meaning.kind, meaning.names, {}, notes=meaning.notes)
    for offset, (name, count) in enumerate(wanted.items()):
        rows = generate_demo(settings.demo_task, count, 3 * settings.split_seed + offset)
        rows = [row for row in rows if (row[0], row[1]) not in seen]
        seen |= {(row[0], row[1]) for row in rows}
        columns = {"text": [row[0] for row in rows]}
        if settings.text_pair:
            columns["text_pair"] = [row[1] or "" for row in rows]
        labels = np.array([meaning.ids.get(values[row[2]], 0) for row in rows], dtype=np.int64)
        data.splits[name] = RawSplit(pa.table(columns), labels, np.arange(len(rows)), np.arange(1, len(rows) + 1))
    return data
