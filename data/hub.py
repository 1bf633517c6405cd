"""Datasets by hub id through `datasets`: HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE and tokens work as users know them.

Never any remote code. An unreachable hub is found out in seconds: what is cached is used and said, the rest refused.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from data.errors import DataError
from data.reach import endpoint, first_line, offline_if_unreachable
from data.settings import DataSettings
from data.table import RawData, RawSplit

GO_ON = "Go on with: HF_ENDPOINT=<a hub that has it>, data=files data.path=<your copy>, or data=demo"


def read_hub(settings: DataSettings) -> RawData:
    """The splits of a hub dataset that the settings name; DataError with a way to go on."""
    notes = offline_if_unreachable()
    kind = "regression" if settings.task == "regression" else "classification"
    if settings.label is None:
        kind = "mlm"
    wanted = {"train": settings.split or settings.train_split, **({} if settings.split else settings.report_splits)}
    if settings.select_split and not settings.split:
        wanted["val"] = settings.select_split
    data = RawData(kind, tuple(settings.label_names), {}, notes=notes)
    for name, split in wanted.items():
        dataset = _load(settings, split)
        _check_columns(settings, dataset.column_names, f"{settings.id} {split}")
        if kind == "classification" and not data.label_names:
            data.label_names = _label_names(dataset, settings)
        data.splits[name] = _used_rows(dataset, settings, data, name)
    return data


def _load(settings: DataSettings, split: str) -> Any:
    """One split as a `datasets.Dataset`."""
    import datasets
    import httpx2  # what huggingface_hub talks HTTP with; its errors pass through where a connection breaks off
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    datasets.logging.set_verbosity_error()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    what = f"{settings.id}{f' ({settings.config})' if settings.config else ''}"
    try:
        return datasets.load_dataset(settings.id, settings.config, split=split)
    except (ValueError, KeyError) as error:
        reason = first_line(error)
        raise DataError(f"{what} has no split {split!r} that can be read: {reason}. {GO_ON}") from error
    except (
        OSError, httpx2.HTTPError, HfHubHTTPError, HFValidationError, datasets.exceptions.DatasetsError,
    ) as error:  # fmt: skip
        raise DataError(f"{what} cannot be had from {endpoint()[0]}: {first_line(error)}. {GO_ON}") from error


def _check_columns(settings: DataSettings, columns: list[str], where: str) -> None:
    import difflib

    for key, column in (
        ("text", settings.text),
        ("text_pair", settings.text_pair),
        ("label", settings.label),
    ):
        if column is not None and column not in columns:
            close = difflib.get_close_matches(column, columns, n=1) or columns[:1]
            raise DataError(
                f"data.{key}={column!r} is not in {where} (columns: {', '.join(columns)}). Try: data.{key}={close[0]}"
            )


def _label_names(dataset: Any, settings: DataSettings) -> tuple[str, ...]:
    """Class names in id order: the dataset's own, else its sorted values."""
    feature = dataset.features[settings.label]
    if getattr(feature, "names", None):
        return tuple(feature.names)
    values = {value for value in dataset.unique(settings.label) if value is not None and value != -1}
    return tuple(str(value) for value in sorted(values))


def _used_rows(dataset: Any, settings: DataSettings, data: RawData, name: str) -> RawSplit:
    """A split with its labels as numbers and the rows without a gold label dropped, or refused."""
    column = None if settings.label is None else dataset.data.column(settings.label)
    if column is None:
        labels = np.zeros(len(dataset), dtype=np.int64)
        bad = labels < 0
    elif data.kind == "regression":
        labels = np.asarray(column.to_pylist(), dtype=np.float64)
        bad = ~np.isfinite(labels)
    else:
        values = column.to_pylist()
        if values and isinstance(values[0], str):
            ids = {label: i for i, label in enumerate(data.label_names)}
            values = [ids.get(value, -1) for value in values]
        labels = np.asarray([-1 if value is None else value for value in values], dtype=np.int64)
        bad = (labels < 0) | (labels >= len(data.label_names))
    if bad.any():
        if settings.unlabelled == "refuse":
            raise DataError(
                f"{settings.id} {name}: {int(bad.sum())} of {len(bad)} rows have no gold label (first: row "
                f"{int(np.argmax(bad)) + 1}). Try: data.unlabelled=drop, or another split"
            )
        data.dropped[f"{name}: no gold label"] = int(bad.sum())
    rows = np.flatnonzero(~bad)
    table = dataset.data.table.select(
        [settings.text, *([settings.text_pair] if settings.text_pair else [])]
    ).rename_columns(["text", *(["text_pair"] if settings.text_pair else [])])
    return RawSplit(table, labels[rows], rows)
