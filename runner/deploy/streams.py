"""Reads texts from files and pipes and writes predictions to them, row by row, in the formats of training or as lines.

Input errors name the row; an output file is written completely or not at all.
"""

from __future__ import annotations

import csv
import io
import json
import math
import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from data.errors import DataError
from data.part_file import part_of
from data.sources.columns import FASTTEXT, fasttext_message
from data.sources.formats import begins_with, open_text, read_rows, rows_of_stream
from data.sources.options import SUFFIXES, ReadOptions, format_of, suffix_of
from data.sources.options import Row as NumberedRow
from runner.errors import ConfigError
from runner.sanitize import cell

INPUTS = ("lines", "csv", "tsv", "jsonl", "conll")  # the choices of input=
OF_SUFFIX = {".txt": "lines", ".conll": "conll", ".iob": "conll", ".bio": "conll"}  # that no table has
WRITTEN = {".csv": "csv", ".jsonl": "jsonl"}
NO_TEXT: dict[type, str] = {dict: "an object", list: "a list", bytes: "bytes"}
Row = dict[str, Any]


def output_format(path: Path) -> str:
    """Return the format of an output file, by its name."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        name = path.name.partition(".")[0] or "answers"
        raise ConfigError(f"out={path}: expected a name that ends in {' or '.join(WRITTEN)}. Try: out={name}.csv")
    return WRITTEN[suffix]


def input_format(path: Path | None, asked: str, as_text: str = "") -> str:
    """Return the format of a file or of standard input.

    It is the one asked for, else the one that the file's name implies, else one text per line.

    asked: one of INPUTS, or "". as_text: the command that answers the file's name as a text, for the error.
    """
    if asked and asked not in INPUTS:
        raise ConfigError(f"input={asked}: expected one of {', '.join(INPUTS)}. Try: input=lines")
    if path is None:
        return asked or "lines"
    known = OF_SUFFIX.get(suffix_of(path)) or format_of(path)
    if asked and known == "parquet":
        raise ConfigError(f"input={asked}: the name of {path} says Parquet. Leave input= out, or rename it")
    if not asked and known is None:
        other = f"; or, for its name as a text: {as_text}" if as_text else ""
        raise ConfigError(
            f"{path}: its name must end in {SUFFIXES}, {', '.join(OF_SUFFIX)}. Try: input=csv (or {', '.join(INPUTS)}) "
            f"if it is one of these{other}"
        )
    return asked or known or ""


def read_texts(path: Path | None, file_format: str, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a file in order, or those of standard input as they arrive.

    file_format: as returned by `input_format`. Raises DataError and ConfigError.
    """
    found = _of_input(file_format, options) if path is None else _of_file(path, file_format, options)
    columns = list(options.wanted.values())
    for number, row in _readable(found, path or "standard input"):
        for column in columns:
            value = row.get(column)
            is_absent = value is None or value != value  # Parquet stores missing numbers as NaN
            if options.takes_words and as_words(value) is not None:
                continue
            if is_absent or type(value) in NO_TEXT:
                what = "nothing" if is_absent else NO_TEXT[type(value)]
                needed = "a text or a list of words" if options.takes_words else "a text"
                raise ConfigError(
                    f"{path or 'standard input'}, row {number}: {what} under {column!r}, but {needed} is needed. "
                    "Leave that row out, or give it a text"
                )
        yield row


def _readable(rows: Iterator[NumberedRow], where: Path | str) -> Iterator[NumberedRow]:
    """Yield the rows; raise DataError, which names their file, where the system cannot read it."""
    try:
        yield from rows
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error.strerror or error}. Try: a copy of it") from error


def as_words(value: object) -> list[str] | None:
    """Return a list of words as training reads it: numbers as text, a missing word as ""; None for anything else."""
    if not isinstance(value, list) or any(isinstance(word, tuple(NO_TEXT)) for word in value):
        return None
    return ["" if word is None else str(word) for word in value]


def _of_file(path: Path, file_format: str, options: ReadOptions) -> Iterator[NumberedRow]:
    if file_format == "lines" and begins_with(path, FASTTEXT):
        raise ConfigError(fasttext_message(str(path)))
    is_empty = True
    for row in read_rows(path, file_format, options):
        is_empty = False
        yield row
    if is_empty:
        raise ConfigError(f"{path} has no rows. Try: a file with rows")


def _of_input(file_format: str, options: ReadOptions) -> Iterator[NumberedRow]:
    """Yield the rows of standard input; it cannot be read twice, so the right encoding can only be guessed."""
    binary = sys.stdin.buffer
    # A buffer of its own: Python aborts if it ends while a thread waits for input under the lock of sys.stdin's.
    own = io.BufferedReader(binary.raw) if isinstance(binary, io.BufferedReader) else binary
    with open_text(own, options.codec) as stream:
        try:
            yield from rows_of_stream(stream, file_format, "standard input", options)
        except UnicodeError as error:
            guess = "cp1252" if "utf" in options.encoding else "utf-8"
            raise ConfigError(f"standard input is not {options.encoding} ({error}). Try: encoding={guess}") from error


def row_chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield lists of `size` rows; the last one may be shorter."""
    iterator = iter(rows)
    while found := list(islice(iterator, size)):
        yield found


def chunks_as_they_arrive(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield lists of up to `size` rows, as many as have arrived, without waiting for a full list."""
    waiting: queue.Queue[tuple[Row | None, Exception | None]] = queue.Queue(maxsize=4 * size)

    def pull() -> None:
        end = None
        try:
            for row in rows:
                waiting.put((row, None))
        except Exception as error:  # raised below, after the rows before it are answered
            end = error
        waiting.put((None, end))

    threading.Thread(target=pull, daemon=True).start()
    row, end = waiting.get()
    while row is not None:
        found = [row]
        while len(found) < size and not waiting.empty():
            row, end = waiting.get()
            if row is None:
                break
            found.append(row)
        yield found
        if row is not None:
            row, end = waiting.get()
    if end is not None:
        raise end


class RowWriter:
    """Writes rows to a stream; the first row sets the columns of a CSV, in which no text can run as a formula."""

    def __init__(self, stream: TextIO, file_format: str) -> None:
        self.stream, self.file_format = stream, file_format
        self._table: csv.DictWriter[str] | None = None

    def write(self, rows: Sequence[Row]) -> None:
        """Write the rows and flush."""
        if self.file_format == "csv":
            if self._table is None:
                names = [cell(name) for name in rows[0]]
                self._table = csv.DictWriter(self.stream, names, lineterminator="\n", restval="")
                self._table.writeheader()
            try:
                self._table.writerows({cell(name): cell(value) for name, value in row.items()} for row in rows)
            except ConfigError:  # it cannot be written
                raise
            except ValueError as error:
                raise ConfigError(f"a CSV has the columns of its first row: {error}. Try: out=answers.jsonl") from error
        else:
            self.stream.writelines(f"{_line(row)}\n" for row in rows)
        self.stream.flush()


def _line(row: Row) -> str:
    """Return a row as JSON; control characters and lone surrogates are escaped, numbers that are not finite are null.

    Parquet may hold dates, which become text.
    """
    try:
        text = json.dumps(row, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # NaN or Infinity, which JSON does not have
        return _line({name: _finite(value) for name, value in row.items()})
    return text if text.isprintable() else json.dumps(row, default=str)


def _finite(value: object) -> object:
    """Return a value with None for each number in it that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


@contextmanager
def open_output(path: Path | None) -> Iterator[TextIO]:
    """Open standard output, or a file that gets its name when the block ends without an error."""
    if path is None:
        yield sys.stdout
        return
    part = part_of(path.with_name(f".{path.name}"))
    try:
        with _blamed_on(path):
            raw = part.open("wb")
        with _OutputFile(raw, path) as stream:
            yield stream
        with _blamed_on(path):
            part.replace(path)
    finally:
        with suppress(OSError):  # the error above says what is wrong
            part.unlink(missing_ok=True)


class _OutputFile(io.TextIOWrapper):
    """A file to write; errors of writing name the option out=, and no others are caught."""

    def __init__(self, raw: BinaryIO, path: Path) -> None:
        super().__init__(raw, encoding="utf-8", errors="backslashreplace", newline="")
        self.path = path

    def write(self, text: str) -> int:
        """Write a text; raise ConfigError if that fails."""
        with _blamed_on(self.path):
            return super().write(text)

    def flush(self) -> None:
        """Write what is buffered; raise ConfigError if that fails."""
        with _blamed_on(self.path):
            super().flush()

    def close(self) -> None:
        """Write what is buffered, and close the file; raise ConfigError if that fails."""
        with _blamed_on(self.path):
            super().close()


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    """Raise a ConfigError that out= cannot be written if the block fails to write."""
    try:
        yield
    except OSError as error:
        cure = f"Try: out=<a folder with room that you may write to>/{path.name}"
        raise ConfigError(f"out={path}: cannot be written: {error.strerror}. {cure}") from error
