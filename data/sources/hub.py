"""Datasets by hub id, via the library `datasets`: HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE and tokens work as usual.

Remote code is never run. If the hub does not answer within seconds, a cached dataset is used, and the user is told.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError, MissingColumn
from data.quoting import listed
from data.settings import GROUP_RULES, DataSettings, of_split
from data.sources.cells import check_text_columns, label_cell, label_text
from data.sources.code_cells import code_lists
from data.sources.columns import group_column, refuse_rule_as_column
from data.sources.hub_splits import hub_splits
from data.sources.hub_status import (
    first_error_line,
    hub_endpoint,
    offline_if_unreachable,
    unwritable_cache,
    why_unavailable,
)
from data.sources.raw import BESIDE, CODES, RawData, RawSplit, columns_beside
from data.targets.base import ColumnTarget
from data.targets.choice import column_target
from data.targets.label_column import UNLABELLED, LabelColumn, no_labels_error
from data.targets.label_set import find_lists
from data.targets.number import Number

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset

CONFIGS = re.compile(r"(?:available configs|Available): \[('[^]]*')\]")  # in messages of the library `datasets`
OWN_DATA = "data=files data.path=<your copy>, or data=demo"


def read_hub(settings: DataSettings, target: str = "auto", *, has_groups: bool = False) -> RawData:
    """Read the splits of a hub dataset that the settings name; DataError with a suggestion.

    target: the name of the target, as in `column_target`. has_groups: does every split need data.group, not only train?
    """
    notes = offline_if_unreachable()
    found: ColumnTarget | None = None
    splits, dropped = dict[str, RawSplit](), dict[str, int]()
    for name, split in hub_splits(settings).items():
        dataset, where = load_hub_split(settings, split), f"{settings.id} {split}"
        try:
            wanted = {"text": settings.text, "text_pair": settings.text_pair, "label": settings.label}
            own = settings if has_groups else of_split(settings, name)
            require_hub_columns(own, wanted, dataset.column_names, where)
        except MissingColumn as error:
            if error.key != "label" or name == "train":
                raise
            raise no_labels_error(settings, name, where) from error
        table = _texts(dataset, own, where)
        rows = _rows_with_text(table, settings, where)
        if len(rows) < len(table):
            dropped[f"{name}: missing text"] = len(table) - len(rows)
        column = hub_labels(dataset, rows, settings, where)
        found = found or column_target(settings, column, where, target)
        labels, kept = found.read(column, settings, name, where)
        if len(kept) < len(rows):
            dropped[f"{name}: no gold label"] = len(rows) - len(kept)
        splits[name] = RawSplit(table, labels, rows[kept], rows[kept] + 1)
    assert found is not None, "train is always read"
    return RawData(found, splits, dropped, [*notes, *found.notes])


def load_hub_split(settings: DataSettings, split: str, own_data: str = OWN_DATA) -> Dataset:
    """Load one split as a `datasets.Dataset`; DataError with a suggestion.

    own_data: the words of a command that reads other data instead.
    """
    import datasets
    import httpx2  # the HTTP library of huggingface_hub; its errors pass through if a connection breaks
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    datasets.logging.set_verbosity_error()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    what = f"{settings.id}{f' ({settings.config})' if settings.config else ''}"
    go_on = f"Go on with: HF_ENDPOINT=<a hub that has it>, {own_data}"
    try:
        return datasets.load_dataset(settings.id, settings.config, split=split, cache_dir=_cache_of(settings.id or ""))
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable_split(error, settings, split, what, go_on) from error
    except RuntimeError as error:
        if "script" not in str(error):
            raise DataError(f"{what} cannot be read: {first_error_line(error)}. {go_on}") from error
        raise DataError(
            f"{what} is a loading script, and code from a hub is never run here. Run it where it is trusted (datasets "
            "before 4.0, trust_remote_code=True), save it (train.to_parquet('train.parquet'), test the same way), "
            "then: data=files data.train_path=train.parquet data.test_path=test.parquet"
        ) from error
    except (
        OSError, httpx2.HTTPError, HfHubHTTPError, HFValidationError, datasets.exceptions.DatasetsError,
    ) as error:  # fmt: skip
        if problem := unwritable_cache(error):
            raise DataError(f"{what} cannot be cached: {problem}") from error
        raise DataError(f"{what} is unavailable from {hub_endpoint()[0]}: {why_unavailable(error)}. {go_on}") from error


def _cache_of(name: str) -> str | None:
    """Return the cache folder for a dataset in a local folder, named by the state of its files; None for a hub id.

    None means the library's usual cache. If a README.md lists the files, that cache is named by the list alone, so the
    library would return former content of the files, or that of another folder.
    """
    import datasets

    if not (folder := Path(name)).is_dir():
        return None
    stats = [(str(path.resolve()), path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    state = repr([(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats])
    return str(Path(datasets.config.HF_DATASETS_CACHE) / f"folder-{hashlib.sha256(state.encode()).hexdigest()[:20]}")


def _unreadable_split(error: Exception, settings: DataSettings, split: str, what: str, go_on: str) -> DataError:
    """Return the error for a split, or a configuration, that the dataset does not have or that cannot be read."""
    import difflib

    if configs := CONFIGS.search(str(error)):
        known = re.findall("'([^']+)'", configs[1])
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        if settings.config is None:
            return DataError(f"{what} has several configurations ({shown}); name one. Try: data.config={known[0]}")
        near = (difflib.get_close_matches(settings.config, known, n=1) or known)[0]
        return DataError(f"{what}: there is no such configuration ({shown}). Try: {near} instead")
    reason = first_error_line(error)
    if "Unknown split" in reason and split != settings.train_split:
        go_on = f"Try: data.split={settings.train_split}, which train, val and test are then all cut from. {go_on}"
    return DataError(f"{what} has no split {split!r} that can be read: {reason}. {go_on}")


def require_hub_columns(settings: DataSettings, wanted: dict[str, str | None], columns: list[str], where: str) -> None:
    """Raise MissingColumn for a column that the settings name but the split lacks.

    wanted: columns by setting without `data.`; those of data.group and data.fold_column are added.
    """
    import difflib

    refuse_rule_as_column(settings.group, columns, where)
    beside = {"group": group_column(settings.group), "fold_column": settings.fold_column, "codes": settings.codes}
    for key, column in (wanted | beside).items():
        if column is not None and column not in columns:
            known = [*columns, *GROUP_RULES] if key == "group" else columns
            close = difflib.get_close_matches(column, known, n=1) or columns[:1]
            raise MissingColumn(
                key,
                f"data.{key}={column!r} is not in {where} (columns: {listed(columns)}). Try: data.{key}={close[0]}",
            )


def _texts(dataset: Dataset, settings: DataSettings, where: str) -> pa.Table:
    """Return the text columns (and those of data.group, data.fold_column and data.codes) as the table of a split."""
    import pyarrow as pa

    wanted = {"text": settings.text} | ({"text_pair": settings.text_pair} if settings.text_pair else {})
    check_text_columns(dataset.data.schema, {f"data.{name}": column for name, column in wanted.items()}, where)
    texts = list(wanted)
    wanted |= columns_beside(settings.group, settings.fold_column)
    table = pa.table({name: dataset.data.table[column] for name, column in wanted.items()})
    for i, name in enumerate(texts):
        kind = table.schema.field(i).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):  # a dictionary, a view
            table = table.set_column(i, name, table.column(i).cast(pa.string()))
    if settings.codes:
        table = table.append_column(CODES, code_lists(dataset.data.table[settings.codes], where))
    return table


def _rows_with_text(table: pa.Table, settings: DataSettings, where: str) -> np.ndarray:
    """Return the numbers of the rows with a text; DataError for other rows unless data.missing=drop.

    A pair with one empty side counts as having a text: benchmarks contain such pairs, and their scores count them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    absent, blank = np.zeros(len(table), dtype=bool), np.ones(len(table), dtype=bool)
    for name in table.column_names:
        if name in BESIDE:
            continue
        column = table.column(name)
        empty = [pc.equal(pc.utf8_trim_whitespace(part), "") for part in column.chunks]
        absent |= column.is_null().to_numpy()
        blank &= pa.chunked_array(empty, pa.bool_()).fill_null(True).to_numpy()
    absent |= blank
    if absent.any() and settings.missing == "refuse":
        raise DataError(
            f"{where}: {int(absent.sum())} of {len(table)} rows have an empty or missing text (first: row "
            f"{int(np.argmax(absent)) + 1}). Try: data.missing=drop"
        )
    if absent.all():
        raise DataError(f"{where} has no row with a text. Try: another column with data.text=..., or another split")
    return np.flatnonzero(~absent)


def class_names(feature: object) -> tuple[str, ...]:
    """Return the names of a dataset's classes, in id order, in the form of `label_text`.

    () for a feature that is not a ClassLabel.
    """
    import datasets

    if isinstance(feature, datasets.List | datasets.LargeList):
        feature = feature.feature  # for sets of labels
    if not isinstance(feature, datasets.ClassLabel):
        return ()
    return tuple(label_text(name, "the list of classes") for name in feature.names)


def hub_labels(dataset: Dataset, rows: np.ndarray, settings: DataSettings, where: str) -> LabelColumn:
    """Read the labels of these rows; ids of a ClassLabel become names, -1 marks a missing label."""
    if settings.label is None:
        column = LabelColumn()
        for row in rows.tolist():
            column.add("", row + 1)
        return column
    asked = settings.task
    names = () if asked == Number.task else class_names(dataset.features[settings.label])
    column = LabelColumn(tuple(dict.fromkeys(names)))  # two names may be the same except for blanks
    used, row = np.zeros(len(dataset), dtype=bool), 0
    used[rows] = True
    for part in dataset.data.column(settings.label).chunks:
        for value in part.to_pylist():
            row += 1
            if used[row - 1]:
                cell = f"{where} row {row}"
                column.add(label_cell(_with_names(value, names, cell) if names else value, cell), row)
    find_lists(column, settings)
    return column


def _with_names(value: list[int | None] | int | None, names: tuple[str, ...], where: str) -> list[str] | str | None:
    """Return the names of a ClassLabel's ids, of which -1 marks a missing one; DataError for an id without a name."""
    ids = [one for one in (value if isinstance(value, list) else [value]) if one is not None and one >= 0]
    if unknown := [one for one in ids if one >= len(names)]:
        raise DataError(
            f"{where} has the class {unknown[0]}, but the dataset names {len(names)} classes "
            f"({', '.join(names[:10])}). Fix that row"
        )
    if isinstance(value, list):
        return [names[one] for one in ids]
    if not ids:
        return None if value is None or UNLABELLED in names else UNLABELLED
    return names[ids[0]]
