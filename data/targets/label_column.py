"""A column of labels as read from a source, before interpretation; handling of rows without a label."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Sequence

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.cells import list_error, parse_number
from data.targets.label_forms import parse_list

SHOWN = 5  # row numbers named in a message
UNLABELLED = "-1"  # marks a row without a gold label, unless it is one of the training labels
NONE = ("nan", "none", "null", "na", "n/a", UNLABELLED)  # what programs write for a missing label


class LabelColumn:
    """The labels of a split as codes of their distinct texts (a few bytes per row), and row numbers in the source."""

    def __init__(self, classes: Sequence[str] = ()) -> None:
        self.classes = tuple(classes)  # names in id order, if the dataset itself has them
        self.distinct: dict[str, int] = {}
        self.lists: dict[str, list[str]] = {}  # the list of labels of each distinct text that stands for one
        self.codes, self.source_rows = array("q"), array("q")

    def add(self, value: str | list[str], number: int) -> None:
        """Add the label of one row ("" if it has none) or its list of labels, which is stored as JSON text."""
        if isinstance(value, list):
            labels, value = value, json.dumps(value, ensure_ascii=False)
            self.lists[value] = labels
        self.codes.append(self.distinct.setdefault(value, len(self.distinct)))
        self.source_rows.append(number)

    def find_lists(self) -> None:
        """Read the texts as lists of labels if every one of them is written as a list, such as "['a', 'b']"."""
        found = {value: parse_list(value) for value in self.distinct if value}
        if any(found.values()) and None not in found.values():
            self.lists |= {value: labels for value, labels in found.items() if labels is not None}

    def __len__(self) -> int:
        return len(self.codes)

    def spread(self, per_value: Sequence[float]) -> np.ndarray:
        """Return a number for each row, given one number per distinct value."""
        return np.asarray(per_value)[np.frombuffer(self.codes, dtype=np.int64)]

    def words(self) -> list[str]:
        """Return the distinct labels that are not numbers."""
        return [value for value in self.distinct if value and parse_number(value) is None]

    def values(self) -> list[str]:
        """Return the distinct labels except missing ones; if any label is a word, nan counts as a word."""
        is_missing = (lambda value: not value) if self.words() else is_none
        return [value for value in self.distinct if not is_missing(value)]

    def row_of(self, value: str) -> int:
        """Return the number, in the source, of the first row with this label."""
        return self.source_rows[self.codes.index(self.distinct[value])]


def refuse_lists(column: LabelColumn, where: str) -> None:
    """Raise DataError if a row has a list of labels."""
    for value, labels in column.lists.items():
        raise list_error(f"{where} row {column.row_of(value)} holds {labels!r:.80}")


def is_none(value: str) -> bool:
    """Return whether the label is missing, whatever the column holds: empty or nan."""
    number = parse_number(value)
    return not value or (number is not None and math.isnan(number))


def encode_column(
    column: LabelColumn, number_of: Callable[[str], float | None], settings: DataSettings, name: str, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels as numbers, and the rows that have one, both (rows with a label,).

    number_of: the number of a distinct label; None if the label is missing. name: of the split. Raises DataError for
    lists, and for rows without a label unless the settings drop them.
    """
    refuse_lists(column, where)
    distinct = list(column.distinct)
    encoded = [number_of(value) for value in distinct]
    absent = [number is None for number in encoded]
    without = column.spread(absent).astype(bool) if len(column) else np.ones(0, dtype=bool)
    if without.all():
        raise no_labels_error(settings, name, where)
    if without.any():
        refuse_rows(column, [value for value, gone in zip(distinct, absent) if gone], without, settings, where)
    labels = column.spread([0 if number is None else number for number in encoded])
    rows = np.flatnonzero(~without)
    return labels[rows], rows


def refuse_rows(
    column: LabelColumn, values: list[str], without: np.ndarray, settings: DataSettings, where: str
) -> None:
    """Raise DataError for rows without a label, unless the settings drop them.

    data.unlabelled=drop covers -1, empty and nan; data.missing=drop only empty and nan.
    """
    marked = any(not is_none(value) for value in values)
    if settings.unlabelled == "drop" or (settings.missing == "drop" and not marked):
        return
    shown = ", ".join(str(column.source_rows[i]) for i in np.flatnonzero(without)[:SHOWN])
    seen = ", ".join(value or "empty" for value in values)
    raise DataError(
        f"{where}: {int(without.sum())} of {len(without)} rows have no gold label ({seen}; rows {shown}). "
        f"Try: {'data.unlabelled=drop' if marked else 'data.missing=drop'}, or {_another(settings)}"
    )


def _another(settings: DataSettings) -> str:
    """Return the other suggestion for a split with unlabelled rows."""
    return "another split" if settings.source == "hub" else "label those rows"


def no_labels_error(settings: DataSettings, name: str, where: str) -> DataError:
    """Return the error for a split that has no labels at all, with suggestions."""
    if name == "train":
        cure = "data.label=<the column of the labels>, or task=mlm, which needs no labels"
    elif settings.source == "hub":
        cure = f"data.split={settings.train_split}, which train, val and test are then all cut from"
    else:
        cure = (
            f"data.{name}_path=<a file with labels>, or leave it out ({name} is then cut off the training rows); "
            f"to predict unlabelled texts: run predict <run id> {where}"
        )
    return DataError(f"{where} has no labels, which `{name}` needs. Try: {cure}")
