"""Checks that a file has each needed column exactly once; the error for a missing one suggests likely columns.

Standard library only.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from data.errors import DataError, MissingColumn
from data.quoting import is_number, listed, shell_setting
from data.settings import GROUP_RULES

SHOWN_LETTERS = 300  # of column names in a message; if a file is not a table, a "name" may be as long as the file
FASTTEXT = "__label__"
QUESTIONS = ({"question", "context"}, {"answers", "answer"})  # SQuAD has all of the first and one of the second
NO_OTHER = {"label": "a file that also has labels, or task=mlm, which needs none"}  # if no other column is left
Sample = Callable[[], Sequence[Sequence[object]]]  # returns the first rows; called only if needed


def require_columns(
    names: Sequence[str], wanted: dict[str, str], where: str, sample: Sample, delimiter: str = ""
) -> None:
    """Raise DataError for a table that lacks a wanted column, or has it twice.

    names: of its columns; wanted: columns by the setting that names them, such as {"data.text": "review"};
    where: the file's path; delimiter: that of the first line, if the names come from there.
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
    if delimiter and len(missing) == len(wanted):
        if cure := _other_header(names, wanted, where, rows):
            raise DataError(cure)
        if _is_data(names, rows):
            raise DataError(_without_header(names, wanted, where, delimiter, rows))
    absent = ", ".join(f"{key}={column!r}" for key, column in missing.items())
    raise MissingColumn(
        _name(next(iter(missing))),
        f"{absent} {'is' if len(missing) == 1 else 'are'} not in {Path(where).name} (columns: {_shown(names)}). "
        f"Try: {_cures(names, wanted, missing, rows)}",
    )


def _cures(
    names: Sequence[str], wanted: dict[str, str], missing: dict[str, str], rows: Sequence[Sequence[object]]
) -> str:
    """Return the settings that name likely columns, each column once, and what to do if no other column is left."""
    taken = [column for column in wanted.values() if column in names]
    cures, more = list[str](), list[str]()
    for key, column in missing.items():
        free = [name for name in names if name not in taken]
        if not any(free):
            more.append(NO_OTHER.get(_name(key), f"a file that also has a column for {key}"))
            continue
        found = _likeliest(key, column, free, names, rows)
        taken.append(found)
        cures.append(shell_setting(key, found[:SHOWN_LETTERS]))
    if _holds_questions(names, wanted):
        cures = ["task=span, for answers to questions in a text; to classify one of its columns:", *cures]
    return ", and ".join([*filter(None, [" ".join(cures)]), *more])


def _holds_questions(names: Sequence[str], wanted: dict[str, str]) -> bool:
    """Return whether a table has extractive questions but is read as something else."""
    all_of, one_of = QUESTIONS
    return all_of <= set(names) and not one_of.isdisjoint(names) and all_of.isdisjoint(wanted.values())


def is_column_number(column: str | None) -> bool:
    """Return whether this is a column number of a CoNLL file, such as 0 or -1."""
    return column is not None and column.removeprefix("-").isdecimal()


def group_column(group: str | None) -> str | None:
    """Return the column that data.group names; None for a rule, which needs no column."""
    return None if group in GROUP_RULES else group


def refuse_rule_as_column(group: str | None, names: Sequence[str], where: str) -> None:
    """Raise DataError if data.group is a rule and the table has a column of the same name."""
    if group in GROUP_RULES and group in names:
        raise DataError(
            f"data.group={group} is a rule, but {Path(where).name} has a column of that name. Rename the column"
        )


def fasttext_message(where: str) -> str:
    """Return the message for a file in fastText's format, with the command that turns it into a TSV."""
    program = r'BEGIN {print "label\ttext"} {l = $1; sub(/^__label__/, "", l); sub(/^[^ ]+ /, ""); print l "\t" $0}'
    command = shell_command(f"awk '{program}'", where)
    return (
        f"{where} is in fastText's format ({FASTTEXT}x text); a table with columns is needed. "
        f"Try: {command} > fixed.tsv"
    )


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return the names, made unique: a second `id` becomes `id.1`, as in pandas."""
    found: list[str] = []
    for name in names:
        count, new = 0, name
        while new in found or (count and new in names):
            count += 1
            new = f"{name}.{count}"
        found.append(new)
    return found


def _name(key: str) -> str:
    """Return a setting without its group: text for data.text."""
    return key.rpartition(".")[2]


def _shown(names: Sequence[str]) -> str:
    """Return column names for a message, cut where they are too long for one."""
    return listed(names)[:SHOWN_LETTERS] or "none"


def _likeliest(key: str, column: str, free: list[str], names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Guess which column was meant: one with a similar name; else by its values.

    For texts it is the longest column; for a label, the one with the fewest values, at least two, so no id; for others,
    the first. For data.group it may also be a rule.
    """
    same = [name for name in free if _plain(name) == _plain(column)]
    rules = GROUP_RULES if _name(key) == "group" else ()
    close = same or difflib.get_close_matches(column, [*free, *rules], n=1)
    if close:
        return close[0]
    if _name(key).startswith("text") and rows:
        return max(free, key=lambda name: _letters(rows, list(names).index(name)))
    named = [name for name in free if name]
    counts = {name: _distinct(rows, list(names).index(name)) for name in named}
    if _name(key) == "label" and max(counts.values()) > 1:
        return min((name for name in named if counts[name] > 1), key=lambda name: counts[name])
    return named[0]


def _plain(name: str) -> str:
    """Return a name without case, blanks, _ and -."""
    return re.sub(r"[\s_-]", "", name).casefold()


def _letters(rows: Sequence[Sequence[object]], place: int) -> int:
    """Count the letters of a column."""
    values = [row[place] for row in rows if place < len(row)]
    return sum(len(value) for value in values if isinstance(value, str))


def _distinct(rows: Sequence[Sequence[object]], place: int) -> int:
    """Count the distinct values of a column."""
    return len({repr(row[place]) for row in rows if place < len(row)})


def _is_data(names: Sequence[str], rows: Sequence[Sequence[object]]) -> bool:
    """Is the first line data? It is if a field occurs again in its column, or is a number like 0.5 or -1."""
    for place, name in enumerate(names):
        again = any(place < len(row) and row[place] == name for row in rows)
        if name.strip() and (again or (is_number(name) and not name.isdigit())):
            return True
    return False


def _other_header(
    names: Sequence[str], wanted: dict[str, str], where: str, rows: Sequence[Sequence[object]]
) -> str | None:
    """Return the message for a header with another delimiter, or one that is not on the first line; else None."""
    columns, absent = set(wanted.values()), ", ".join(map(repr, wanted.values()))
    for mark in sorted(set("".join(names))) if len(names) == 1 else ():
        if columns <= set(names[0].split(mark)) and not mark.isalnum():
            prefix = next(iter(wanted)).rpartition(".")[0]
            cure = shell_setting(f"{prefix}.delimiter" if prefix else "delimiter", mark)
            return f"{where}: its first line has {absent} with {mark!r} between columns. Try: {cure}"
    above = next((place for place, row in enumerate(rows, 1) if columns <= set(row)), None)
    if above is None:
        return None
    cure = f"{shell_command(f'tail -n +{above + 1}', where)} > {name_beside(where, 'fixed')}"
    return f"{where}: its first line has no {absent}, but line {above + 1} does. Try: {cure}"


def _without_header(
    names: Sequence[str], wanted: dict[str, str], where: str, delimiter: str, rows: Sequence[Sequence[object]]
) -> str:
    """Return the message for a file without a header, with the command that adds one."""
    longest = sorted(range(len(names)), key=lambda place: -_letters([names, *rows], place))
    header = [f"column{place + 1}" for place in range(len(names))]
    for (key, column), place in zip(wanted.items(), longest):
        header[place if _name(key) != "label" else longest[-1]] = column
    line = delimiter.join(header).replace("\\", "\\\\").replace("%", "%%").replace("\t", "\\t") + "\\n"
    command = f"(printf {shlex.quote(line)}; {shell_command('cat', where)}) > {name_beside(where, 'named')}"
    return (
        f"{where} has no header: its first line looks like data ({_shown(names)}), and column names are needed, "
        f"such as {', '.join(wanted.values())}. Try: {command}"
    )


def shell_command(command: str, where: str) -> str:
    """Return a shell command on the text of a file, gzipped or not."""
    name = shlex.quote(where)
    return f"gzip -dc {name} | {command}" if where.lower().endswith(".gz") else f"{command} {name}"


def name_beside(where: str, name: str) -> str:
    """Return the name with the suffix of the file `where`, as the name for a changed copy of it."""
    return name + Path(where.lower().removesuffix(".gz")).suffix
