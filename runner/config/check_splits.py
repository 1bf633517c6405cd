"""Refuses splits of a hub dataset that no metric can be named after, or that would both select and be reported.

Also refuses data.split for data without named splits.
"""

from __future__ import annotations

import re

from data.settings import DataSettings

REPORTED = re.compile(r"(val|test)(_\w+)?")  # prefixes of metrics, as in runner/record/metrics.py


def split_conflicts(data: DataSettings) -> list[str]:
    """Return one line for each mistake in the splits that the settings name, with the cure.

    Mistakes are: a hub dataset without a reported split; a reported split whose name no metric may have, or that also
    selects; data.select_split without a reported `test`; and data.split for data that are not from the hub.
    """
    if data.split and data.source != "hub":
        return [f"data.split={data.split} names a split of a hub dataset, but data={data.name} has none. Leave it out"]
    if data.source != "hub" or data.split is not None or data.fold_column is not None:
        return []
    named, report = f"data={data.name}", data.report_splits
    if not report:
        return [
            f"{named}: no split of {data.id} is reported. Try: data.split={data.train_split}, which train, val and "
            "test are then all cut from, or in its YAML: report_splits: {test: test}"
        ]
    found = [
        f"data.report_splits of {named}: {name!r} cannot begin the name of a metric; it is test, val, or one of them "
        f"with an ending. Try, in its YAML: report_splits: {{test: {split}}}"
        for name, split in report.items()
        if not REPORTED.fullmatch(name)
    ]
    if "test" in report and "val" in report:
        found.append(
            f"data.report_splits of {named}: with a reported test split, val selects and is not reported. "
            f"Try, in its YAML: select_split: {report['val']}, and another name, such as val_2, for what is reported"
        )
    if data.select_split is not None and "test" not in report:
        found.append(
            f"data.select_split={data.select_split} has no effect on {named}: without a reported split called test, a "
            "slice of train selects. Try: data.select_split=null"
        )
    return found
