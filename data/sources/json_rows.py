"""Rows of JSON streams: one object per line, or one array of objects, recognised by the first character.

One object with a list `data` or `paragraphs` is read as questions in SQuAD's format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from itertools import chain, islice
from typing import Any, TextIO

from data.errors import DataError
from data.json_types import JsonObject
from data.sources.options import ReadOptions, Row
from data.sources.squad_json import may_be_squad, parse_squad, squad_rows

PART = 1 << 16  # characters read at a time
SAMPLE = 100  # a column counts as missing if about this many rows at the start all lack it
BLANK = " \t\r\n"
LONGEST_WORD = 16  # characters; a bit more than the longest JSON literal, such as -Infinity


class _Object(dict[str, Any]):
    """A JSON object in which some keys occur more than once."""

    twice: frozenset[str]


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    """Build an object that records keys that occur more than once."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    double = _Object(found)
    double.twice = frozenset(name for name in found if names.count(name) > 1)
    return double


DECODER = json.JSONDecoder(object_pairs_hook=_object)


def json_rows(stream: TextIO, where: str, options: ReadOptions) -> Iterator[Row]:
    """Yield each object with its line number, or its position in an array.

    where: the file's path, for messages. Raises DataError.
    """
    number, line = 1, stream.readline(PART)
    while line and not line.strip():
        number, line = number + line.endswith("\n"), stream.readline(PART)
    what, found = _values(number, line, stream, where)
    for number, row in _with_columns(_objects(found, what, where), where, options):
        if isinstance(row, _Object) and (double := row.twice & set(options.wanted.values())):
            raise DataError(f"{where} {what} {number} has {min(double)!r} more than once. Keep one of them in that row")
        yield number, row


def _with_columns(objects: Iterator[Row], where: str, options: ReadOptions) -> Iterator[Row]:
    """Yield the objects if the first ones have the wanted columns; otherwise raise DataError.

    In training a row may omit a column that it has no value for, so more rows are checked if the first one does.
    """
    head = list(islice(objects, 1))
    if head and _is_by_column(head[0][1]):
        raise DataError(
            f"{where} holds columns, each with its rows, as pandas writes them by default, but rows are needed. "
            "Try: DataFrame.to_json(<file>, orient='records', lines=True)"
        )
    if head and options.only_wanted and not head[0][1].keys() >= set(options.wanted.values()):
        head += islice(objects, SAMPLE)
    names = list(dict.fromkeys(name for _, row in head for name in row))
    if head:
        options.require_columns(names, where, lambda: [[row.get(name) for name in names] for _, row in head])
    yield from chain(head, objects)


def _is_by_column(row: JsonObject) -> bool:
    """Is this object a whole table: under each column an object from the numbers of its rows to their values?"""
    columns = list(row.values())
    numbers = columns[0].keys() if columns and isinstance(columns[0], dict) else set[str]()
    is_numbered = bool(numbers) and all(number.isdecimal() for number in numbers)
    return is_numbered and all(isinstance(column, dict) and column.keys() == numbers for column in columns)


def _objects(found: Iterator[tuple[int, object]], what: str, where: str) -> Iterator[Row]:
    """Yield the values, each of which must be an object; what: a line or a row."""
    for number, row in found:
        if not isinstance(row, dict):
            raise DataError(f"{where} {what} {number} holds a {type(row).__name__}, not an object with columns")
        yield number, row


def _values(number: int, line: str, stream: TextIO, where: str) -> tuple[str, Iterator[tuple[int, object]]]:
    """Return what messages call a value ("row" or "line"), and all values; line: the first line or part of it."""
    if line.lstrip().startswith("["):
        return "row", _of_array(line, stream, where)
    if may_be_squad(line):
        text = line + stream.read()
        if articles := parse_squad(text, where):
            return "row", squad_rows(articles, where)
        stream = StringIO(text)
        line = stream.readline(PART)
    return "line", _of_lines(number, line, stream, where)


def _of_lines(number: int, begun: str, stream: TextIO, where: str) -> Iterator[tuple[int, object]]:
    """Yield the value of each line; begun: the part of the first line that is already read."""
    first = begun if begun.endswith("\n") or not begun else begun + stream.readline()
    for at, line in enumerate(chain([first], stream), number):
        if not line.strip():
            continue
        try:
            yield at, DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{where} line {at} is not JSON: {error}. One JSON object per line is needed, or an array of objects"
            ) from error


def _of_array(begun: str, stream: TextIO, where: str) -> Iterator[tuple[int, object]]:
    """Yield the values of an array of any length, keeping only one in memory at a time."""
    text, at, number, is_first = begun, begun.index("[") + 1, 0, True
    while True:
        text, at = _past_blanks(text, at, stream)
        if text.startswith("]", at):
            if text[at + 1 :].strip() or stream.read(PART).strip():
                raise DataError(
                    f"{where} continues after its array. One array of objects, or one object per line, is needed"
                )
            return
        if not is_first:
            if not text.startswith(",", at):
                raise DataError(
                    f"{where} row {number + 1}: expected , or ] and found {text[at : at + 20] or 'the end'!r}. "
                    "The end of the file may be missing"
                )
            text, at = _past_blanks(text, at + 1, stream)
        is_first, number = False, number + 1
        try:
            value, text, at = _value(text, at, stream)
        except (ValueError, RecursionError) as error:
            # The position is left out, since it is relative to the last part that was read.
            reason = error.msg if isinstance(error, json.JSONDecodeError) else error
            raise DataError(f"{where} row {number} is not JSON: {reason}. Fix that row") from error
        yield number, value


def _past_blanks(text: str, at: int, stream: TextIO) -> tuple[str, int]:
    """Return the text and the position of the next non-blank character, reading more if needed."""
    while True:
        while at < len(text) and text[at] in BLANK:
            at += 1
        if at < len(text) or not (more := stream.read(PART)):
            return text, at
        text, at = more, 0


def _value(text: str, at: int, stream: TextIO) -> tuple[object, str, int]:
    """Return the JSON value at a position, the text (more may have been read), and where the value ends in it."""
    size = PART
    while True:
        try:
            value, end = DECODER.raw_decode(text, at)
            if end < len(text) or not (more := stream.read(PART)):  # a number may continue
                return value, text, end
        except ValueError as error:
            if _is_wrong(error, text) or not (more := stream.read(size)):
                raise
        text, at, size = text[at:] + more, 0, 2 * size  # doubled, so that a long value needs few attempts


def _is_wrong(error: ValueError, text: str) -> bool:
    """Is this JSON wrong whatever follows? Without this check an error would show only at the end of the file."""
    if not isinstance(error, json.JSONDecodeError):
        return True
    return not error.msg.startswith("Unterminated string") and error.pos < len(text) - LONGEST_WORD
