"""Texts from files and pipes, and answers into them: CSV, JSONL, or one text a line. Everything streams.

What cannot be read is a ConfigError with the line's number; an output file is there whole or not at all.
"""

from __future__ import annotations

import csv
import io
import json
import queue
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from runner.errors import ConfigError
from runner.harmless import cell

READ = {".csv": "csv", ".jsonl": "jsonl", ".txt": "lines"}
WRITTEN = {".csv": "csv", ".jsonl": "jsonl"}
Row = dict[str, Any]


def kind_of(path: Path, known: dict[str, str] = READ) -> str:
    """How a file is read, or written, by its name."""
    if path.suffix not in known:
        raise ConfigError(f"{path}: expected a name that ends in {' or '.join(known)}. Try: {path.stem}.csv")
    return known[path.suffix]


@contextmanager
def opened(path: Path | None) -> Iterator[TextIO]:
    """A file, or standard input, as UTF-8; ConfigError for anything else in it."""
    raw = sys.stdin.buffer if path is None else path.open("rb")
    with io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as stream:
        try:
            yield stream
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path or 'standard input'}: is not UTF-8 ({error}). Try: iconv -t utf-8") from error


def read(stream: TextIO, kind: str, columns: Sequence[str], name: str) -> Iterator[Row]:
    """Each row as it is, in the order of the stream; of lines the text alone.

    columns: what every row must have, as text; name: of the source, for messages.
    """
    if kind == "lines":
        yield from ({columns[0]: line.rstrip("\r\n")} for line in stream)
        return
    rows = _of_csv(stream, columns, name) if kind == "csv" else _of_jsonl(stream, name)
    for number, row in rows:
        for column in columns:
            if not isinstance(row.get(column), str):
                raise ConfigError(
                    f"{name}, line {number}: no text under {column!r}. It has: {', '.join(map(str, row))}"
                )
        yield row


def _of_csv(stream: TextIO, columns: Sequence[str], name: str) -> Iterator[tuple[int, Row]]:
    try:
        table = csv.DictReader(stream, strict=True)
        there = table.fieldnames or []
        absent = [column for column in columns if column not in there]
        if absent:
            cure = f"Try: text={there[0]}" if there else "Its first line must name the columns"
            raise ConfigError(f"{name}: no column {absent[0]!r}; its columns: {', '.join(there) or 'none'}. {cure}")
        for row in table:
            if None in row:
                raise ConfigError(f"{name}, line {table.line_num}: more fields than the {len(there)} columns")
            yield table.line_num, row
    except csv.Error as error:
        raise ConfigError(f"{name}, line {table.line_num}: is not CSV ({error})") from error


def _of_jsonl(stream: TextIO, name: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(stream, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{name}, line {number}: is not JSON ({error}). Mend that line") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{name}, line {number}: expected an object with the text, found {line.strip()[:40]}")
        yield number, row


def chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of `size` rows, the last one shorter."""
    iterator = iter(rows)
    while found := list(islice(iterator, size)):
        yield found


def arriving(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Lists of up to `size` rows, whatever has come by now: nobody who types or tails a log waits for a full batch."""
    waiting: queue.Queue[tuple[Row | None, Exception | None]] = queue.Queue(maxsize=4 * size)

    def pull() -> None:
        end = None
        try:
            for row in rows:
                waiting.put((row, None))
        except Exception as error:  # raised again below, where the rows before it have been answered
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


class Writer:
    """Rows onto a stream; the first one says which columns a CSV has, whose texts are made harmless to spreadsheets."""

    def __init__(self, stream: TextIO, kind: str) -> None:
        self.stream, self.kind = stream, kind
        self._table: csv.DictWriter[str] | None = None

    def write(self, rows: Sequence[Row]) -> None:
        """Append the rows and hand them on at once."""
        if self.kind == "csv":
            if self._table is None:
                names = [cell(name) for name in rows[0]]
                self._table = csv.DictWriter(self.stream, names, lineterminator="\n", restval="")
                self._table.writeheader()
            try:
                self._table.writerows({cell(name): cell(value) for name, value in row.items()} for row in rows)
            except ValueError as error:
                raise ConfigError(f"a CSV has the columns of its first row: {error}. Try: out=answers.jsonl") from error
        else:
            self.stream.writelines(f"{_line(row)}\n" for row in rows)
        self.stream.flush()


def _line(row: Row) -> str:
    """A row as JSON; what a terminal would obey, and halves of characters, as escapes."""
    text = json.dumps(row, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(row)


@contextmanager
def written(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that takes its name at the end of the block."""
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"out={path}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
