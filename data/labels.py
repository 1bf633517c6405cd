"""The labels of a file: classes or numbers, told from their texts and encoded, in a few bytes a row."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.settings import DataSettings

MOST_CLASSES = 1000
SHOWN = 5  # row numbers named in a message


class Column:
    """The labels of a file as codes of their distinct texts (a few bytes a row), with their row numbers."""

    def __init__(self) -> None:
        self.distinct: dict[str, int] = {}
        self.codes, self.numbers = array("q"), array("q")

    def add(self, value: str, number: int) -> None:
        """Take the label of one row."""
        self.codes.append(self.distinct.setdefault(value, len(self.distinct)))
        self.numbers.append(number)

    def __len__(self) -> int:
        return len(self.codes)

    def spread(self, per_value: Sequence[float]) -> np.ndarray:
        """One number a row from one number a distinct value."""
        return np.asarray(per_value)[np.frombuffer(self.codes, dtype=np.int64)]


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def what_labels_are(settings: DataSettings, column: Column, path: str) -> tuple[str, tuple[str, ...]]:
    """classification with its class names in id order, regression, or mlm; DataError where none fits."""
    if settings.label is None:
        return "mlm", ()
    distinct = list(column.distinct)
    words = [value for value in distinct if _number(value) is None]
    whole = not words and all(value.lstrip("+-").isdigit() for value in distinct)
    if settings.task == "regression" or (settings.task == "auto" and not words and not whole):
        if words:
            raise DataError(
                f"{path} row {_row_of(column, words[0])}: the label {words[0]!r} is not a number. "
                "Try: data.task=classification"
            )
        return "regression", ()
    if len(distinct) > MOST_CLASSES or len(distinct) > max(20, len(column) // 2):
        raise DataError(
            f"{path}: the column {settings.label!r} has {len(distinct)} different values in {len(column)} rows, "
            "too many for classes. Try: data.task=regression, or another column with data.label=..."
        )
    if settings.label_names:
        return "classification", tuple(settings.label_names)
    return "classification", tuple(sorted(distinct, key=float if whole else str))


def _row_of(column: Column, value: str) -> int:
    """The number of the first row with this label."""
    return column.numbers[column.codes.index(column.distinct[value])]


def encode(column: Column, kind: str, names: tuple[str, ...], path: str) -> np.ndarray:
    """Class ids, or numbers in float64; DataError for a number that is not finite or a class train does not have."""
    if kind == "regression":
        numbers = [_number(value) for value in column.distinct]
        labels = column.spread([math.nan if number is None else number for number in numbers])
        bad = np.flatnonzero(~np.isfinite(labels))
        if len(bad):
            shown = ", ".join(str(column.numbers[i]) for i in bad[:SHOWN])
            raise DataError(
                f"{path}: {len(bad)} labels are not finite numbers (rows {shown}). Try: mend those rows, or leave "
                "their label empty and use data.missing=drop"
            )
        return labels
    if kind == "mlm":
        return np.zeros(len(column), dtype=np.int64)
    ids = {name: i for i, name in enumerate(names)}
    unseen = [value for value in column.distinct if value not in ids]
    if unseen:
        raise DataError(
            f"{path} row {_row_of(column, unseen[0])}: the label {unseen[0]!r} does not occur in the training file "
            f"(there: {', '.join(names[:10])}). Mend such rows, or add training rows of that class"
        )
    return column.spread([ids[value] for value in column.distinct]).astype(np.int64)
