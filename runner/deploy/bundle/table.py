"""The rows of a CSV or TSV file as training reads them: a field a column in every line, and no column twice.

The delimiter is the one that splits the header into the columns of the texts; TSV has no quotes unless its header does.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _csv import Reader

DELIMITERS = {".csv": ",;\t|", ".tsv": "\t,;|"}  # in the order they are tried; the first is written
LONGEST_CELL = 2**31 - 1  # characters; by default the csv module refuses texts above 131,072
EXCEL = re.compile('"?sep=.?"?', re.I)  # the first line of some of its files; the header tells the delimiter too
Choose = Callable[[Sequence[str]], list[str]]  # the columns of the texts, given the names of a header


@dataclass(frozen=True)
class Table:
    """An open file: the names of its columns, those of its texts, and its rows, which are read once.

    Raises ValueError, as it is read, for a line with more or fewer fields than the header, for one that cannot be read,
    and for a file without rows.
    """

    names: list[str]
    columns: list[str]
    rows: Iterator[dict[str, str]]


def read_table(source: TextIO, where: str, choose: Choose) -> Table:
    """Return the table in an open file; raise ValueError for one without these columns, or with one of them twice."""
    csv.field_size_limit(LONGEST_CELL)
    blank, first = 0, source.readline()
    while first and (not first.strip() or EXCEL.fullmatch(first.strip())):
        blank, first = blank + 1, source.readline()
    suffix = Path(where).suffix.lower()
    headers = {one: next(csv.reader([first], delimiter=one), []) for one in DELIMITERS[suffix]}
    fitting = [one for one, names in headers.items() if set(choose(names)) <= set(names)]
    delimiter = (fitting or sorted(headers, key=lambda one: -len(headers[one])))[0]
    plain, wanted = first.rstrip("\r\n").split(delimiter), set(choose(headers[delimiter]))
    is_plain = suffix == ".tsv" and delimiter == "\t" and (wanted <= set(plain) or not wanted <= set(headers["\t"]))
    names = plain if is_plain else headers[delimiter]
    columns = choose(names)
    if missing := [column for column in columns if column not in names]:
        raise ValueError(f"{where}: has no column {missing[0]!r} (columns: {', '.join(names)}). Try: --text COLUMN")
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"{where}: has {names.count(twice[0])} columns named {twice[0]!r}. Rename one of them")
    blanks = [place for place, name in enumerate(names) if not name]
    for number, place in enumerate(blanks[1:], 1):
        names[place] = f".{number}"  # as training names them
    lines = chain([first], source)
    if is_plain:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
    return Table(names, columns, _rows(reader, names, where, blank))


def _rows(reader: Reader, names: list[str], where: str, blank: int) -> Iterator[dict[str, str]]:
    """Yield each row below the header; blank: lines before the header."""
    next(reader)
    is_empty = True
    try:
        for fields in reader:
            if not fields:
                continue  # a blank line
            if len(fields) != len(names):
                raise ValueError(
                    f"{where}, line {blank + reader.line_num}: fields: {len(fields)}, columns: {len(names)}. Fix that "
                    "line (a text with a delimiter in it needs quotes)"
                )
            is_empty = False
            yield dict(zip(names, fields))
    except csv.Error as error:
        raise ValueError(f"{where}, line {blank + reader.line_num}: {error}. Fix that line") from error
    if is_empty:
        raise ValueError(f"{where}: has no rows. Try: a file with rows")
