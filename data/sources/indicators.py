"""Labels in separate columns (`data.labels=[anger,joy]`): 1 if a row has the label, 0 if it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.errors import DataError, MissingColumn
from data.sources.cells import parse_number

PREFIX = "labels:"  # prefix of the keys of these columns among the columns of a file
WORDS = {"true": True, "false": False}


def indicator_columns(names: Sequence[str]) -> dict[str, str]:
    """Return the columns to read, by their keys in ReadOptions.columns."""
    return {f"{PREFIX}{name}": name for name in names}


def labels_of_row(row: Mapping[str, object], names: Sequence[str], where: str) -> list[str]:
    """Return the labels that a row has, in the order of the columns; DataError for values other than 0 and 1."""
    return [name for name in names if _is_set(row.get(name), name, where)]


def _is_set(value: object, name: str, where: str) -> bool:
    """Return whether the label of a column is set in a row."""
    text = str(value).strip().lower()
    number = WORDS[text] if text in WORDS else parse_number(text)
    if number not in (0, 1):
        raise DataError(
            f"{where}: the column {name!r} holds {value!r:.80}, but data.labels needs 0 or 1. Fix that row, or name "
            "columns of 0 and 1"
        )
    return bool(number)


def missing_indicator(error: MissingColumn) -> DataError:
    """Turn the error for any missing column into the one for a column of data.labels."""
    name = error.key.removeprefix(PREFIX)
    known = str(error).partition("(columns: ")[2].partition(")")[0]
    return DataError(
        f"data.labels names {name!r}, but there is no such column (columns: {known}). "
        "Try: 'data.labels=[<the columns with 0 or 1, one for each label>]'"
    )
