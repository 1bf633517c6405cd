"""The reported rows in other languages (data.report): the rows are translations of each other, so scores are paired.

    run model=auto data=xnli data.config=en 'data.report=[tr,zh]'

Each config of the hub dataset is a language. Row i is the same item in each, so the rows reported in the training
language are reported in the others too, however they were chosen. Datasets whose rows differ are refused.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.sources.hub import read_hub
from data.sources.raw import RawData, RawSplit


def parallel_name(split: str, config: str) -> str:
    """Return the name of a reported split in another language, such as test_tr."""
    return f"{split}_{config.replace('-', '_')}"


def add_parallel(raw: RawData, settings: DataSettings, first: str) -> list[str]:
    """Add the rows of the split `first` in each language of data.report; return the names of the new splits.

    DataError if the dataset has different rows in a language, if its labels are not classes, or with data.fold_column:
    another language may have other folds, and translations of training rows would be reported.
    """
    if settings.report and settings.fold_column is not None:
        raise DataError(
            f"data.report=[{','.join(settings.report)}] data.fold_column={settings.fold_column}: other languages are "
            "reported on a split of the dataset, not on folds of its training rows. Try: 'data.report=[]'"
        )
    names = [parallel_name(first, config) for config in settings.report]
    labels = raw.splits[first].labels
    if names and (not raw.target.names or labels.offsets is not None or np.ndim(labels.values) != 1):
        raise DataError(
            f"data.report=[{','.join(settings.report)}]: needs classes of texts, but the labels of {settings.name} are "
            f"{raw.target.name}. Try: a run of each language by itself, with data.config={settings.report[0]}"
        )
    for name, config in zip(names, settings.report):
        raw.splits[name] = _read(raw, settings, config, first)
    return names


def _read(raw: RawData, settings: DataSettings, config: str, first: str) -> RawSplit:
    """Return the rows of a split in another language, in the same order."""
    of_hub = settings.split or settings.report_splits[first]
    alone = replace(
        settings, config=config, split=None, train_split=of_hub, report_splits={}, select_split=None, group=None
    )
    other, own = read_hub(alone, raw.target.name), raw.splits[first]
    there = other.splits["train"]
    where = f"data.report: {settings.id} ({config}) {of_hub}"
    at = np.searchsorted(there.source_rows, own.source_rows)
    if len(there) == 0 or at.max() >= len(there) or (there.source_rows[at] != own.source_rows).any():
        missing = len(set(own.source_rows.tolist()) - set(there.source_rows.tolist()))
        raise DataError(
            f"{where} lacks {missing:,} of the {len(own):,} rows of {first}, so it is not a translation. Leave it out"
        )
    found = there.take(at)
    unknown = sorted(set(other.target.names) - set(raw.target.names))
    if unknown:
        raise DataError(f"{where} has classes that the training rows lack ({', '.join(unknown)}). Leave it out")
    ids = np.array([raw.target.names.index(name) for name in other.target.names], np.int64)
    labels = Labels(ids[np.asarray(found.labels.values)])
    wrong = np.flatnonzero(labels.values != np.asarray(own.labels.values))
    if len(wrong):
        raise DataError(
            f"{where}: {len(wrong):,} of {len(own):,} rows have a different label in the language of training (first: "
            f"row {int(own.source_rows[wrong[0]])}), so the rows are not the same. Leave it out"
        )
    return replace(found, labels=labels)
