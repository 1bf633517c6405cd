"""Local CSV, TSV, JSONL and Parquet files, read in one streaming pass into a memory-mapped Arrow table.

Line numbers in messages are what an editor shows (CSV, TSV, JSONL); Parquet rows count from 1. TSV is read without
quoting, as GLUE's files are written.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from data.cells import as_text, check_texts, label_text
from data.errors import DataError, MissingColumn
from data.labels import SHOWN, Column, encode, no_labels, what_labels_are
from data.settings import DataSettings
from data.shared import locked
from data.table import CHUNK, RawData, RawSplit

KINDS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
SHOWN_LETTERS = 300  # of column names: what is no table may have one as long as the file
Row = tuple[int, Any, Any, Any, Any]  # number, text, second text, label, group


def read_files(settings: DataSettings, cache: Path, notify: Callable[[str], None] | None = None) -> RawData:
    """The splits found in the files: `train`, and `val` and `test` where they have files of their own."""
    paths = {
        "train": settings.train_path or settings.path,
        "val": settings.val_path,
        "test": settings.test_path,
    }
    tables: dict[str, Any] = {}
    columns: dict[str, Column] = {}
    dropped: dict[str, int] = {}
    for name, text in paths.items():
        if text is None:
            continue
        path = _existing(text, "data.path" if name == "train" and settings.path else f"data.{name}_path")
        if notify:
            notify(f"reading {path.name}")
        try:
            tables[name], columns[name], missing = _convert(path, settings, cache)
        except MissingColumn as error:
            if error.key != "label" or name == "train":
                raise
            raise no_labels(settings, name, text) from error
        if missing:
            dropped[f"{name}: missing text or label"] = missing
    meaning = what_labels_are(settings, columns["train"], paths["train"] or "")
    data = RawData(meaning.kind, meaning.names, {}, dropped=dropped, notes=list(meaning.notes))
    for name, column in columns.items():
        labels, rows = encode(column, meaning, settings, name, str(paths[name]))
        if len(rows) < len(column):
            dropped[f"{name}: no gold label"] = len(column) - len(rows)
        numbers = np.frombuffer(column.numbers, dtype=np.int64)
        data.splits[name] = RawSplit(tables[name], labels, rows, numbers[rows])
    return data


def _existing(text: str, key: str) -> Path:
    path = Path(text).expanduser()
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix in KINDS)[:5]
        hint = f"{key}={path / inside[0]}" if inside else f"{key}=<a file>"
        raise DataError(
            f"{key}={text} is a folder, a file is needed ({', '.join(inside) or 'none'} in it). Try: {hint}"
        )
    if not path.is_file():
        there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, there, n=1)
        hint = f"did you mean {path.parent / close[0]}? " if close else ""
        raise DataError(
            f"{key}={text}: no such file; {hint}Try: {key}={path.parent / close[0] if close else '<a file>'}"
        )
    if path.suffix.lower() not in KINDS:
        raise DataError(f"{key}={text}: files end in {', '.join(KINDS)}, not {path.suffix!r}. Convert it, or rename it")
    if path.stat().st_size == 0:
        raise DataError(f"{key}={text} is empty. Try: {key}=<a file with a header and rows>")
    return path


def _convert(path: Path, settings: DataSettings, cache: Path) -> tuple[Any, Column, int]:
    """Stream a file into an Arrow file in the cache and open it memory-mapped; answers labels and dropped rows."""
    import pyarrow as pa

    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    options = [digest, settings.text, settings.text_pair, settings.label, settings.missing, settings.encoding]
    options += [settings.group] if settings.group else []
    key = hashlib.sha256(json.dumps([*options, path.suffix.lower()]).encode()).hexdigest()[:20]
    folder = cache / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    target, column, missing = folder / f"{key}.arrow", Column(), _Missing(path, settings)
    with locked(folder / f"{key}.lock"), ExitStack() as stack:
        part = target.with_suffix(".part")
        stack.callback(part.unlink, missing_ok=True)
        optional = {"text_pair": settings.text_pair, "group": settings.group}
        names = ["text", *(name for name, column_name in optional.items() if column_name)]
        schema = pa.schema([(name, pa.string()) for name in names])
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for chunk in _chunks(_rows(path, settings), missing, column):
                writer.write_batch(pa.record_batch([chunk[name] for name in names], schema=schema))
        if missing.without_label and missing.without_label == missing.count and not len(column):
            raise MissingColumn("label", f"{path}: no row has a label. Try: data.label=<the column of the labels>")
        missing.refuse()
        if not len(column):
            raise DataError(f"{path} has a header but no usable row. Try: data.path=<a file with rows>")
        part.replace(target)
    return pa.ipc.open_file(pa.memory_map(str(target))).read_all(), column, missing.count


def _chunks(rows: Iterator[Row], missing: _Missing, column: Column) -> Iterator[dict[str, list[str]]]:
    """The columns of the table, CHUNK rows at a time; labels and row numbers go to `column`."""
    found: dict[str, list[str]] = {"text": [], "text_pair": [], "group": []}
    for number, text, pair, label, group in rows:
        if missing.sees(number, text, pair, label, group):
            continue
        where = f"{missing.path} row {number}"
        found["text"].append(as_text(text, where, "data.text"))
        found["text_pair"].append("" if pair is None else as_text(pair, where, "data.text_pair"))
        found["group"].append("" if group is None else as_text(group, where, "data.group").strip())
        column.add(label_text(label, where), number)
        if len(found["text"]) == CHUNK:
            yield found
            found = {name: [] for name in found}
    if found["text"]:
        yield found


class _Missing:
    """Rows without a text, a label or a group: counted, the first ones remembered."""

    def __init__(self, path: Path, settings: DataSettings) -> None:
        self.path, self.settings = path, settings
        self.count, self.first, self.without_label = 0, list[int](), 0

    def sees(self, number: int, text: Any, pair: Any, label: Any, group: Any) -> bool:
        """Is something missing in this row?"""
        texts = [text] + ([pair] if self.settings.text_pair else []) + ([group] if self.settings.group else [])
        is_label_absent = self.settings.label is not None and _is_empty(label)
        absent = any(map(_is_empty, texts))
        self.without_label += is_label_absent and not absent
        absent |= is_label_absent
        if absent:
            self.count += 1
            self.first += [number] if len(self.first) < SHOWN else []
        return absent

    def refuse(self) -> None:
        """Raise if rows are missing something and the settings do not allow dropping them."""
        if self.count and self.settings.missing == "refuse":
            shown = ", ".join(map(str, self.first)) + (", ..." if self.count > len(self.first) else "")
            raise DataError(
                f"{self.path}: {self.count} rows have an empty or missing text or label (rows {shown}). "
                "Try: data.missing=drop"
            )


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or not str(value).strip()


def _rows(path: Path, settings: DataSettings) -> Iterator[Row]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet_rows(path, settings)
    lines = _jsonl_rows(path, settings) if suffix in (".jsonl", ".ndjson") else _csv_rows(path, settings, suffix)
    return _decoded(lines, path, settings)


def _decoded(rows: Iterator[Row], path: Path, settings: DataSettings) -> Iterator[Row]:
    """The rows, with a decoding error told as the line it is in and the encoding to try."""
    try:
        yield from rows
    except UnicodeError as error:
        line, guess = _bad_line(path, settings.encoding)
        raise DataError(f"{path} line {line} is not {settings.encoding}. Try: data.encoding={guess}") from error
    except LookupError as error:
        raise DataError(f"data.encoding={settings.encoding}: no such encoding. Try: data.encoding=utf-8") from error


def _bad_line(path: Path, encoding: str) -> tuple[int, str]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                return 1, "utf-16"
            try:
                line.decode(encoding)
            except UnicodeError:
                return number, "latin-1" if "utf" in encoding else "utf-8"
    return 1, "latin-1"


def _pick(names: list[str], path: Path, settings: DataSettings) -> None:
    """Refuse a file that lacks one of the named columns."""
    for key, column in (
        ("text", settings.text),
        ("text_pair", settings.text_pair),
        ("label", settings.label),
        ("group", settings.group),
    ):
        if column is not None and column not in names:
            close = difflib.get_close_matches(column, names, n=1) or names[:1] or ["<column>"]
            raise MissingColumn(
                key,
                f"data.{key}={column!r} is not in {path.name} (columns: {', '.join(names)[:SHOWN_LETTERS]}). "
                f"Try: data.{key}={close[0][:SHOWN_LETTERS]}",
            )


def _csv_rows(path: Path, settings: DataSettings, suffix: str) -> Iterator[Row]:
    encoding = "utf-8-sig" if settings.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else settings.encoding
    csv.field_size_limit(1 << 30)
    tab = suffix == ".tsv"
    with path.open(encoding=encoding, newline="") as stream:
        reader = csv.reader(
            stream,
            delimiter="\t" if tab else ",",
            quoting=csv.QUOTE_NONE if tab else csv.QUOTE_MINIMAL,
            strict=not tab,
        )
        try:
            header = next(reader, [])
            _pick(header, path, settings)
            wanted = (settings.text, settings.text_pair, settings.label, settings.group)
            at = [header.index(c) if c else None for c in wanted]
            for fields in reader:
                if not fields:
                    continue  # a blank line
                if len(fields) != len(header):
                    raise DataError(
                        f"{path} line {reader.line_num} has {len(fields)} fields, the header {len(header)}. "
                        "Mend that line (text with a comma needs quotes)"
                    )
                text, pair, label, group = (None if i is None else fields[i] for i in at)
                yield reader.line_num, text, pair, label, group
        except csv.Error as error:
            raise DataError(f"{path} line {reader.line_num} cannot be read: {error}. Mend that line") from error


def _jsonl_rows(path: Path, settings: DataSettings) -> Iterator[Row]:
    encoding = "utf-8-sig" if settings.encoding.lower() in ("utf-8", "utf8") else settings.encoding
    with path.open(encoding=encoding) as stream:
        first = True
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"{path} line {number} is not JSON: {error}. One JSON object a line is needed"
                ) from error
            if not isinstance(row, dict):
                raise DataError(f"{path} line {number} holds a {type(row).__name__}, not an object with columns")
            if first:
                _pick(list(row), path, settings)
                first = False
            pair = row.get(settings.text_pair) if settings.text_pair else None
            group = row.get(settings.group) if settings.group else None
            yield number, row.get(settings.text), pair, row.get(settings.label), group


def _parquet_rows(path: Path, settings: DataSettings) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        _pick(file.schema_arrow.names, path, settings)
        wanted = (settings.text, settings.text_pair, settings.label, settings.group)
        columns = [c for c in wanted if c]
        check_texts(file.schema_arrow, {k: c for k, c in zip(("text", "text_pair"), wanted) if c}, str(path))
        number = 0
        for batch in file.iter_batches(CHUNK, columns=columns):
            values = [batch[c].to_pylist() if c else [None] * len(batch) for c in wanted]
            for text, pair, label, group in zip(*values):
                number += 1
                yield number, text, pair, label, group
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError, NotImplementedError) as error:
        raise DataError(
            f"{path} is not a whole Parquet file ({str(error).splitlines()[0][:200]}); "
            "a download that was cut off looks like this. Download it again"
        ) from error
