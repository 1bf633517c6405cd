"""Local files as splits: each is streamed in one pass into a memory-mapped Arrow table.

Messages give line numbers as in an editor (CSV, TSV, JSONL); rows of Parquet and JSON arrays count from 1.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.calibration import CALIBRATION, calibration_file
from data.counted import counted
from data.errors import DataError, MissingColumn
from data.quoting import shell_setting
from data.settings import DataSettings, of_split
from data.sources.cells import as_text, label_cell
from data.sources.code_cells import codes_of
from data.sources.columns import group_column
from data.sources.formats import read_rows
from data.sources.indicators import PREFIX, indicator_columns, labels_of_row, missing_indicator
from data.sources.local_files import split_files, split_paths
from data.sources.options import ReadOptions, format_of
from data.sources.raw import CHUNK, CODES, FOLD, GROUP, RawData, RawSplit, columns_beside
from data.stores.build_once import SharedCache
from data.targets.base import ColumnTarget
from data.targets.choice import column_target
from data.targets.label_column import SHOWN, LabelColumn, no_labels_error
from data.targets.label_set import find_lists

if TYPE_CHECKING:
    import pyarrow as pa

SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".mp3")  # suffixes that show that a column names sound files
FOLDS = "fold_column"  # the setting that names the column of folds
Row = tuple[int, object, object, object, object, object, object]  # number, text, second text, label, group, fold, codes


def read_files(
    settings: DataSettings, cache: SharedCache, wanted: str = "auto", *, has_groups: bool = False
) -> RawData:
    """Read the splits that have files: `train`, and `val` and `test` if they have separate files.

    wanted: the name of the target, as in `column_target`. has_groups: does every split need data.group, not only train?
    """
    paths = split_paths(settings)
    tables: dict[str, pa.Table] = {}
    columns: dict[str, LabelColumn] = {}
    dropped: dict[str, int] = {}
    notes: list[str] = []
    for name, path in split_files(settings).items():
        cache.tell(f"reading {path.name}")
        own = settings if has_groups else of_split(settings, name)
        with _columns_of(settings, name, path):
            tables[name], columns[name], missing = _convert(path, own, _options(own, notes), cache)
        if missing:
            dropped[f"{name}: missing text or label"] = missing
    _refuse_sounds(tables["train"], settings)
    target = column_target(settings, columns["train"], paths["train"], wanted)
    data = RawData(target, {}, dropped=dropped, notes=notes)
    for name, column in columns.items():
        _add_split(data, name, tables[name], column, settings, paths[name])
    data.notes += target.notes  # includes notes added while reading rows
    return data


def check_columns(settings: DataSettings) -> None:
    """Raise DataError for a file that is missing or lacks a column; reads no more than the first row of each."""
    for name, path in split_files(settings).items():
        with _columns_of(settings, name, path):
            next(read_rows(path, format_of(path) or "", _options(of_split(settings, name), [])), None)


@contextmanager
def _columns_of(settings: DataSettings, name: str, path: Path) -> Iterator[None]:
    """Replace the error for a missing column by one that explains which labels the file of a split lacks."""
    try:
        yield
    except MissingColumn as error:
        if error.key.startswith(PREFIX):
            raise missing_indicator(error) from error
        if error.key != "label" or name == "train":
            raise
        raise no_labels_error(settings, name, str(path)) from error


def add_file(data: RawData, name: str, path: Path, settings: DataSettings, cache: SharedCache) -> None:
    """Add the rows of a file as one more split; DataError for labels that the existing target does not know."""
    cache.tell(f"reading {path.name}")
    own = of_split(settings, name)
    table, column, missing = _convert(path, own, _options(own, []), cache)
    if missing:
        data.dropped[f"{name}: missing text or label"] = missing
    _add_split(data, name, table, column, settings, str(path))


def _add_split(
    data: RawData, name: str, table: pa.Table, column: LabelColumn, settings: DataSettings, where: str
) -> None:
    """Encode the labels of a split and add it."""
    assert isinstance(data.target, ColumnTarget), "files have columns"
    labels, rows = data.target.read(column, settings, name, where)
    if len(rows) < len(column):
        data.dropped[f"{name}: no gold label"] = len(column) - len(rows)
    numbers = np.frombuffer(column.source_rows, dtype=np.int64)
    data.splits[name] = RawSplit(table, labels, rows, numbers[rows])


def _refuse_sounds(table: pa.Table, settings: DataSettings) -> None:
    """Raise DataError if the first texts are all names of sound files."""
    first = table["text"].slice(0, SHOWN).to_pylist()
    if all(Path(text.strip()).suffix.lower() in SOUNDS for text in first):
        raise DataError(
            f"data.text={settings.text}: the column names sound files ({first[0]!r:.80}). "
            f"Try: {shell_setting('data.audio', settings.text)} model=tiny-sound"
        )


def _options(settings: DataSettings, notes: list[str]) -> ReadOptions:
    """Return the options for reading each file; notes for the user are added to `notes`."""
    columns = {"text": settings.text, "text_pair": settings.text_pair, "label": settings.label}
    columns |= {"label": None, **indicator_columns(settings.labels)} if settings.labels else {}
    return read_options(settings, columns, notes)


def read_options(settings: DataSettings, columns: dict[str, str | None], notes: list[str]) -> ReadOptions:
    """Return the options for reading these columns, by setting, and those of data.group, fold_column and codes."""
    column = group_column(settings.group)
    own = {GROUP: column, FOLDS: settings.fold_column, CODES: settings.codes}
    columns = columns | {key: name for key, name in own.items() if name}
    return ReadOptions(
        columns, settings.encoding, settings.delimiter, settings.quoting, prefix="data.", only_wanted=True,
        group_rule=None if column else settings.group, note=notes.append,
    )  # fmt: skip


def file_of(settings: DataSettings, split: str) -> Path | None:
    """Return the file that the rows of a split come from: its own, or that of train if it is cut off train."""
    own = {"val": settings.val_path, "test": settings.test_path, CALIBRATION: calibration_file(settings)}.get(split)
    text = own or settings.train_path or settings.path
    return None if text is None else Path(text).expanduser()


def row_numbers(settings: DataSettings, path: Path) -> np.ndarray:
    """Return the number that messages give each row of a file, (rows,) ascending: of a line or, without lines, a row.

    The i-th number belongs to the i-th row below the header; numbers may skip, as a cell may have several lines. Raises
    DataError for a file that cannot be read.
    """
    texts = {"text": settings.text, "text_pair": settings.text_pair}
    asked = {"audio": settings.audio} if settings.audio else texts
    rows = read_rows(path, format_of(path) or "", replace(_options(settings, []), columns=asked))
    return np.fromiter((number for number, _ in rows), np.int64)


def _convert(
    path: Path, settings: DataSettings, options: ReadOptions, cache: SharedCache
) -> tuple[pa.Table, LabelColumn, int]:
    """Stream a file into an Arrow file in the cache; return its memory-mapped table, labels and number of drops."""
    import pyarrow as pa

    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    kind = format_of(path) or ""
    spelling = [settings.missing, options.encoding, options.delimiter, options.quoting, kind]
    parts = [digest, list(options.columns.items()), settings.label_separator is not None, *spelling]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]
    folder = cache.folder / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    target, column = folder / f"{key}.arrow", LabelColumn(settings.labels)
    missing = _Missing(path, settings)
    with cache.locked(folder / f"{key}.lock"), ExitStack() as stack:
        part = target.with_suffix(".part")
        stack.callback(part.unlink, missing_ok=True)
        beside = columns_beside(settings.group, settings.fold_column) | ({CODES: ""} if settings.codes else {})
        names = ["text", *(["text_pair"] if settings.text_pair else []), *beside]
        schema = pa.schema([(name, pa.list_(pa.string()) if name == CODES else pa.string()) for name in names])
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for chunk in _chunks(_cells(path, kind, options, settings.labels), missing, column):
                writer.write_batch(pa.record_batch([chunk[name] for name in names], schema=schema))
        if missing.without_label and missing.without_label == missing.count and not len(column):
            raise MissingColumn("label", f"{path}: no row has a label. Try: data.label=<the column of the labels>")
        missing.refuse()
        if not len(column):
            why = f": all {missing.count} have an empty or missing {missing.what}" if missing.count else ""
            raise DataError(f"{path} has a header but no usable row{why}. Try: data.path=<a file with rows>")
        part.replace(target)
    find_lists(column, settings)
    return pa.ipc.open_file(pa.memory_map(str(target))).read_all(), column, missing.count


def _cells(path: Path, kind: str, options: ReadOptions, labels: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the cells of each row that training needs. labels: columns of 0 and 1, which become a list of labels."""
    columns = [options.columns.get(name) for name in ("text", "text_pair", "label", GROUP, FOLDS, CODES)]
    for number, row in read_rows(path, kind, options):
        text, pair, label, *more = (None if column is None else row.get(column) for column in columns)
        group, fold, codes = more
        if labels and not all(_is_empty(row.get(name)) for name in labels):
            label = labels_of_row(row, labels, f"{path} row {number}")
        yield number, text, pair, label, group, fold, codes


def _chunks(rows: Iterator[Row], missing: _Missing, column: LabelColumn) -> Iterator[dict[str, list[str | list[str]]]]:
    """Yield the columns of the table, CHUNK rows at a time; labels and row numbers are added to `column`."""
    found: dict[str, list[str | list[str]]] = {"text": [], "text_pair": [], GROUP: [], FOLD: [], CODES: []}
    for number, text, pair, label, group, fold, codes in rows:
        if missing.sees(number, text, pair, label, group):
            continue
        where = f"{missing.path} row {number}"
        found["text"].append(as_text(text, where, "data.text"))
        found["text_pair"].append("" if pair is None else as_text(pair, where, "data.text_pair"))
        found[GROUP].append("" if group is None else as_text(group, where, "data.group").strip())
        found[FOLD].append("" if fold is None else as_text(fold, where, "data.fold_column").strip())
        found[CODES].append(codes_of(codes, where))
        column.add(label_cell(label, where), number)
        if len(found["text"]) == CHUNK:
            yield found
            found = {name: [] for name in found}
    if found["text"]:
        yield found


class _Missing:
    """Counts rows without a text, a label or a group, and remembers the first ones."""

    def __init__(self, path: Path, settings: DataSettings) -> None:
        self.path, self.settings = path, settings
        self.count, self.first, self.without_label = 0, list[int](), 0
        group = group_column(settings.group)
        self.what = f"text, label or {group}" if group else "text or label"

    def sees(self, number: int, text: object, pair: object, label: object, group: object) -> bool:
        """Return whether something is missing in this row, and count it if so."""
        texts = [text] + ([pair] if self.settings.text_pair else [])
        texts += [group] if group_column(self.settings.group) else []
        may_be_empty = self.settings.label is None or self.settings.label_separator is not None  # an empty set
        is_label_absent = not may_be_empty and _is_empty(label)
        absent = any(map(_is_empty, texts))
        self.without_label += is_label_absent and not absent
        absent |= is_label_absent
        if absent:
            self.count += 1
            self.first += [number] if len(self.first) < SHOWN else []
        return absent

    def refuse(self) -> None:
        """Raise DataError for incomplete rows unless the settings drop them."""
        if self.count and self.settings.missing == "refuse":
            shown = ", ".join(map(str, self.first)) + (", ..." if self.count > len(self.first) else "")
            may_be_sets = self.without_label == self.count and not self.settings.labels
            sets = """, or, for cells with any number of labels, 'data.label_separator=";"'"""
            raise DataError(
                f"{self.path}: {counted(self.count, 'row has', 'rows have')} an empty or missing {self.what} "
                f"(rows {shown}). Try: data.missing=drop{sets if may_be_sets else ''}"
            )


def _is_empty(value: object) -> bool:
    """Return whether a cell is empty, blank or nan."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()
