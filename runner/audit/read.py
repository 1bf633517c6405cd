"""Reads the rows of a data set as a run does, but counts incomplete rows where a run refuses them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from data.calibration import CALIBRATION, calibration_file
from data.errors import CutTooSmall, DataError
from data.json_types import JsonObject
from data.load import Rows, read_rows
from data.settings import DataSettings
from data.sources.formats import read_rows as read_file
from data.sources.hub import hub_splits, load_hub_split
from data.sources.local_files import existing_file
from data.sources.options import ReadOptions, format_of
from data.sources.sounds import NO_SOUND
from data.stores.build_once import SharedCache
from runner.audit.facts import Source

FIRST = 100  # rows of a file whose columns are listed
# Settings of `data` that leave rows out or supply what they lack, as the cure in an error names them.
ADVISED = {"unlabelled": "drop", "bad_spans": "drop", "find": "unique"}


def read_leniently(settings: DataSettings, cache: SharedCache, target: str) -> tuple[Rows, dict[str, str]]:
    """Return the rows without incomplete ones, and the settings of `data` that a run needs for that.

    target: what is learned, as in `read_rows`. Raises DataError for mistakes that such settings do not fix.
    """
    dropping = {} if settings.missing == "drop" else {"missing": "drop"}
    advised: dict[str, Any] = {}
    while True:
        try:
            rows, cut = _read_cut(replace(settings, missing="drop", **advised), cache, target)
            break
        except DataError as error:
            found = {key: value for key, value in ADVISED.items() if f"data.{key}={value}" in str(error)}
            if not found or found.items() <= advised.items():
                raise
            advised |= found
    is_unlabelled_dropped = settings.unlabelled == "drop" or "unlabelled" in advised
    marks = ("missing", NO_SOUND, *([] if is_unlabelled_dropped else ["no gold label"]))
    incomplete = any(mark in what for what in rows.raw.dropped for mark in marks)
    return rows, (dropping if incomplete else {}) | advised | {key: str(value) for key, value in cut.items()}


def _read_cut(settings: DataSettings, cache: SharedCache, target: str) -> tuple[Rows, JsonObject]:
    """Return the rows, and the shares to cut off that a run needs where those of the settings are too small."""
    try:
        return read_rows(settings, cache, target), {}
    except CutTooSmall as refusal:
        if not refusal.cure:
            raise
        return read_rows(replace(settings, **refusal.cure), cache, target), refusal.cure


def sources_of(settings: DataSettings) -> tuple[Source, ...]:
    """Return the files or splits of the hub that are read, with their columns; none for the built-in data."""
    found = {"files": _files, "hub": _hub_splits, "demo": lambda _: ()}[settings.source](settings)
    apart = calibration_file(settings)
    return found if apart is None else (*found, _file(CALIBRATION, apart, "data.calibration", settings))


def _used(settings: DataSettings) -> dict[str, str]:
    """Return the columns that the settings name, by setting."""
    tags = settings.tags if isinstance(settings.tags, list) else [settings.tags]
    labels = {f"labels[{place}]": name for place, name in enumerate(settings.labels)}
    named = {
        "text": settings.text, "text_pair": settings.text_pair, **labels,
        "label": None if labels else settings.label, "group": settings.group,
        "audio": settings.audio, "fold_column": settings.fold_column,
        "codes": settings.codes, "tokens": settings.tokens, "tags": tags[0],
        "tags[1]": tags[1] if len(tags) > 1 else None,
    }  # fmt: skip
    return {key: str(column) for key, column in named.items() if column is not None}


def _source(split: str, where: str, size: int | None, names: list[str], settings: DataSettings) -> Source:
    used = {key: column for key, column in _used(settings).items() if column in names}
    return Source(split, where, size, used, tuple(name for name in names if name not in used.values()))


def _files(settings: DataSettings) -> tuple[Source, ...]:
    """Return the files by split."""
    named = {
        "train": settings.train_path or settings.path, "val": settings.val_path, "test": settings.test_path,
    }  # fmt: skip
    return tuple(_file(split, text, "data.path", settings) for split, text in named.items() if text is not None)


def _file(split: str, text: str, key: str, settings: DataSettings) -> Source:
    """Return a file, which the setting `key` names."""
    path = existing_file(text, key, any_format=True)
    return _source(split, text, path.stat().st_size, _columns(path, settings), settings)


def _columns(path: Path, settings: DataSettings) -> list[str]:
    """Return the names of the columns of a file; none of a file whose columns have numbers.

    Rows of JSON may leave keys out, so they are those of the first rows.
    """
    kind = format_of(path)
    if kind is None or (settings.tokens or "").removeprefix("-").isdecimal():
        return []
    named = {"text": settings.tokens or settings.text} if settings.audio is None else {"audio": settings.audio}
    options = ReadOptions(
        {**named}, settings.encoding, settings.delimiter, settings.quoting, prefix="data.", takes_words=True,
    )  # fmt: skip
    first = islice(read_file(path, kind, options), FIRST)
    return list(dict.fromkeys(str(name) for _, row in first for name in row))


def _hub_splits(settings: DataSettings) -> tuple[Source, ...]:
    """Return the splits of a dataset of the hub."""
    return tuple(
        _source(name, f"{settings.id} {split}", None, load_hub_split(settings, split).column_names, settings)
        for name, split in hub_splits(settings).items()
    )
