"""Which columns of a file are used: each must be there once; what is missing is refused with the likeliest ones.

Standard library only.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from data.errors import DataError, MissingColumn

SHOWN_LETTERS = 300  # of column names: what is no table may have one as long as the file
FASTTEXT = "__label__"
Sample = Callable[[], Sequence[Sequence[Any]]]  # the first rows, with a value for each column; read only when needed


def require_columns(
    names: Sequence[str], wanted: dict[str, str], where: str, sample: Sample, delimiter: str = ""
) -> None:
    """Refuse a table that lacks a wanted column, or has it twice.

    names: of its columns; wanted: columns by the setting that names them, such as {"data.text": "review"};
    where: the file's path; delimiter: of its first line, if the names stand there. Raises DataError.
    """
    for key, column in wanted.items():
        if names.count(column) > 1:
            raise DataError(
                f"{key}={column!r}: {Path(where).name} has {names.count(column)} columns of that name "
                f"({_shown(names)}), and one is needed. Rename the others"
            )
    missing = {key: column for key, column in wanted.items() if column not in names}
    if not missing:
        return
    if names and names[0].startswith(FASTTEXT):
        raise DataError(fasttext_message(where))
    rows = sample()
    if delimiter and len(missing) == len(wanted) and _is_data(names, rows):
        raise DataError(_without_header(names, wanted, where, delimiter, rows))
    taken = [column for column in wanted.values() if column in names]
    cures = []
    for key, column in missing.items():
        found = _likeliest(key, column, [name for name in names if name not in taken] or list(names), names, rows)
        taken.append(found)
        cures.append(shell_setting(key, found[:SHOWN_LETTERS]))
    absent = ", ".join(f"{key}={column!r}" for key, column in missing.items())
    raise MissingColumn(
        _name(next(iter(missing))),
        f"{absent} {'is' if len(missing) == 1 else 'are'} not in {Path(where).name} (columns: {_shown(names)}). "
        f"Try: {' '.join(cures)}",
    )


def fasttext_message(where: str) -> str:
    """What is wrong with a file of fastText's lines, and the command that makes a TSV of it."""
    program = r'BEGIN {print "label\ttext"} {l = $1; sub(/^__label__/, "", l); sub(/^[^ ]+ /, ""); print l "\t" $0}'
    command = shell_command(f"awk '{program}'", where)
    return (
        f"{where} holds fastText's lines ({FASTTEXT}x text), a table with columns is needed. Try: {command} > fixed.tsv"
    )


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names, each once: a further `id` becomes `id.1`, as in pandas."""
    found: list[str] = []
    for name in names:
        count, new = 0, name
        while new in found or (count and new in names):
            count += 1
            new = f"{name}.{count}"
        found.append(new)
    return found


def shell_setting(key: str, value: str) -> str:
    """A setting as one types it in a shell; those of training are read by Hydra, which has quotes of its own."""
    if re.fullmatch(r"[\w./-]+", value, re.ASCII):
        return f"{key}={value}"
    return quoted_setting(key, value) if "." in key else shlex.quote(f"{key}={value}")


def quoted_setting(key: str, value: str) -> str:
    """A setting in quotes for Hydra and for the shell, whatever characters its value has."""
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return shlex.quote(f'{key}="{text}"')


def _name(key: str) -> str:
    """The setting without its group: text of data.text."""
    return key.rpartition(".")[2]


def _shown(names: Sequence[str]) -> str:
    plain = all(name == name.strip() for name in names)
    return ", ".join(name if plain else repr(name) for name in names)[:SHOWN_LETTERS] or "none"


def _likeliest(key: str, column: str, free: list[str], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The column that a missing one may be: of nearly its name, for texts the longest one, else the first."""
    same = [name for name in free if _plain(name) == _plain(column)]
    close = same or difflib.get_close_matches(column, free, n=1)
    if close:
        return close[0]
    if _name(key).startswith("text") and rows:
        return max(free, key=lambda name: _letters(rows, list(names).index(name)))
    return next((name for name in free if name), "<column>")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()


def _letters(rows: Sequence[Sequence[Any]], place: int) -> int:
    values = [row[place] for row in rows if place < len(row)]
    return sum(len(value) for value in values if isinstance(value, str))


def _is_data(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Is the first line a row? One of its fields occurs again in its column, or is a number that counts no columns."""
    for place, name in enumerate(names):
        again = any(place < len(row) and row[place] == name for row in rows)
        if name.strip() and (again or (_is_number(name) and not name.isdigit())):
            return True
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _without_header(
    names: Sequence[str], wanted: dict[str, str], where: str, delimiter: str, rows: Sequence[Sequence[Any]]
) -> str:
    """What is wrong with a file whose first line is a row, and the command that puts names above it."""
    longest = sorted(range(len(names)), key=lambda place: -_letters([names, *rows], place))
    header = [f"column{place + 1}" for place in range(len(names))]
    for (key, column), place in zip(wanted.items(), longest):
        header[place if _name(key) != "label" else longest[-1]] = column
    line = delimiter.join(header).replace("\\", "\\\\").replace("%", "%%").replace("\t", "\\t") + "\\n"
    command = f"(printf {shlex.quote(line)}; {shell_command('cat', where)}) > {name_beside(where, 'named')}"
    return (
        f"{where} has no header: its first line looks like data ({_shown(names)}), and names of columns are needed, "
        f"such as {', '.join(wanted.values())}. Try: {command}"
    )


def shell_command(command: str, where: str) -> str:
    """A command of the shell on the text of a file, gzipped or not."""
    name = shlex.quote(where)
    return f"gzip -dc {name} | {command}" if where.lower().endswith(".gz") else f"{command} {name}"


def name_beside(where: str, name: str) -> str:
    """A name for another version of a file, with its ending."""
    return name + Path(where.lower().removesuffix(".gz")).suffix
