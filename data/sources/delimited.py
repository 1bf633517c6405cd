"""Rows of CSV and TSV streams, with line numbers as an editor shows them.

The delimiter is the one that splits the header into the wanted columns. TSV is read without quoting, like GLUE's files,
unless its header is in quotes or quoting=minimal is set.
"""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, TextIO

from data.counted import counted
from data.errors import DataError
from data.quoting import shell_setting
from data.sources.columns import distinct_names, name_beside, shell_command
from data.sources.options import ReadOptions, Row

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = {"csv": ",;\t|", "tsv": "\t,;|"}  # in the order they are tried
SAMPLE = 100  # rows
EXCEL = re.compile('"?sep=.?"?', re.I)  # first line of some Excel files; skipped, since the header shows the delimiter


@dataclass(frozen=True)
class _Dialect:
    """Delimiter and quoting of a stream."""

    delimiter: str
    is_quoted: bool

    def fields(self, lines: Iterator[str]) -> Reader:
        """Return a csv.reader."""
        if self.is_quoted:
            return csv.reader(lines, delimiter=self.delimiter, strict=True)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)


def delimited_rows(stream: TextIO, file_format: str, where: str, options: ReadOptions) -> Iterator[Row]:
    """Yield each row as a dict keyed by the header, with the number of its last line.

    file_format: csv or tsv; where: the file's path, for messages. Raises DataError.
    """
    csv.field_size_limit(1 << 30)
    blank, first = 0, stream.readline()
    while first and (not first.strip() or EXCEL.fullmatch(first.strip())):
        blank, first = blank + 1, stream.readline()
    if first.count("\0") > len(first) // 3:  # every other byte of UTF-16 texts in Latin letters
        order = "be" if first.startswith("\0") else "le"
        cure = shell_setting(options.key("encoding"), f"utf-16-{order}")
        raise DataError(f"{where} seems to be UTF-16 without a byte order mark. Try: {cure}")
    form = _form(first, file_format, options)
    reader = form.fields(chain([first] if first else [], stream))
    try:
        header: list[str] = next(reader, [])
        options.require_columns(header, where, lambda: list(islice(reader, SAMPLE)), form.delimiter)
        chosen = [(name, place) for place, name in enumerate(distinct_names(header)) if options.keeps(name)]
        texts: list[str] = []
        for fields in reader:
            if not fields:
                continue  # a blank line
            line = blank + reader.line_num
            if len(fields) != len(header):
                raise DataError(_ragged(fields, header, f"{where} line {line}", where, form, options))
            if fields == header and len(header) > 1:  # in a single column, a text may equal the column's name
                raise DataError(f"{where} line {line} is the header again, as in joined files. Remove that line")
            row = {name: fields[place] for name, place in chosen}
            texts += [row[options.text]] if len(texts) < SAMPLE else []
            yield line, row
    except csv.Error as error:
        raise DataError(
            f"{where} line {blank + reader.line_num} cannot be read: {error}. Fix that line; or, if quotes "
            f"are ordinary characters there, try: {shell_setting(options.key('quoting'), 'none')}"
        ) from error
    if texts and options.quoting == "auto" and not form.is_quoted and all(map(_is_in_quotes, texts)):
        options.note(
            f"all texts of {where} are quoted, and the quotes are read as part of the texts. "
            f"Try: {shell_setting(options.key('quoting'), 'minimal')}"
        )


def _form(first: str, file_format: str, options: ReadOptions) -> _Dialect:
    """Find delimiter and quoting: as set, else the delimiter that gives the wanted columns or, if none, most fields."""
    delimiter = {"tab": "\t", "\\t": "\t"}.get(options.delimiter, options.delimiter)
    if delimiter != "auto" and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise DataError(
            f"{options.key('delimiter')}={options.delimiter}: expected one character, tab or auto. "
            f"Try: {options.key('delimiter')}=auto"
        )
    wanted = set(options.wanted.values())
    if delimiter == "auto":
        headers = {one: next(csv.reader([first], delimiter=one), []) for one in DELIMITERS[file_format]}
        naming = [one for one, names in headers.items() if wanted <= set(names)]
        delimiter = (naming or sorted(headers, key=lambda one: -len(headers[one])))[0]
    if options.quoting != "auto":
        return _Dialect(delimiter, options.quoting == "minimal")
    quoted, plain = set(next(csv.reader([first], delimiter=delimiter), [])), set(first.rstrip("\r\n").split(delimiter))
    return _Dialect(delimiter, file_format != "tsv" or delimiter != "\t" or (wanted <= quoted and not wanted <= plain))


def _is_in_quotes(text: str) -> bool:
    """Does a text begin and end with a double quote?"""
    return len(text) > 1 and text[0] == text[-1] == '"'


def _ragged(fields: list[str], header: list[str], what: str, where: str, form: _Dialect, options: ReadOptions) -> str:
    """Return the message for a line with more or fewer fields than the header."""
    count = counted(len(fields), "field")
    told = f"{what} has {count}, the header {len(header)}. "
    shown = {"\t": "tab", ",": "comma"}.get(form.delimiter, form.delimiter)
    if len(fields) == len(header) + 1 and not fields[-1]:
        mark = "\\t" if form.delimiter == "\t" else form.delimiter
        script = shlex.quote(f"s/{mark}\\r*$//")
        cure = f"{shell_command(f'sed {script}', where)} > {name_beside(where, 'fixed')}"
        return f"{told}It ends with the delimiter. Try: {cure}"
    if not form.is_quoted and any('"' in field for field in fields):
        return f"{told}If its fields are in quotes, try: {shell_setting(options.key('quoting'), 'minimal')}"
    cure = f"text with a {shown} needs quotes" if form.is_quoted else f"a {shown} ends a field"
    return f"{told}Fix that line ({cure})"
