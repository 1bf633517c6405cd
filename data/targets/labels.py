"""The meaning of a label column: the training rows decide whether labels are classes or numbers.

Labels are compared by value: 1..5 are five classes, and 0.0 is the same as 0. Whole numbers are ids of named classes
only if a hub dataset declares them so (ClassLabel).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from data.errors import DataError
from data.settings import DataSettings
from data.sources.cells import is_digits, parse_number, plain_number
from data.targets.class_names import name_classes

MOST_CLASSES = 1000
MOST_WHOLE = 20  # up to so many different whole floats, such as 0.0 and 1.0, may be classes or numbers
SHOWN = 5  # row numbers named in a message
UNLABELLED = "-1"  # marks a row without a gold label, unless it is one of the training labels
NONE = ("nan", "none", "null", "na", "n/a", UNLABELLED)  # what programs write for a missing label


class LabelColumn:
    """The labels of a split: codes of their distinct texts (a few bytes a row), and row numbers in the source."""

    def __init__(self, classes: Sequence[str] = ()) -> None:
        self.classes = tuple(classes)  # names in id order, where the dataset itself has them
        self.distinct: dict[str, int] = {}
        self.codes, self.source_rows = array("q"), array("q")

    def add(self, value: str, number: int) -> None:
        """Add the label of one row; "" means that it has none."""
        self.codes.append(self.distinct.setdefault(value, len(self.distinct)))
        self.source_rows.append(number)

    def __len__(self) -> int:
        return len(self.codes)

    def spread(self, per_value: Sequence[float]) -> np.ndarray:
        """Return the number of each row, given one number per distinct value."""
        return np.asarray(per_value)[np.frombuffer(self.codes, dtype=np.int64)]


@dataclass(frozen=True)
class LabelMeaning:
    """Decides how labels are read, in every split; made from the training rows."""

    kind: str  # classification | regression | mlm
    names: tuple[str, ...] = ()  # of the classes, in id order
    ids: dict[str, int] = field(default_factory=dict)  # the class of each label
    has_negative: bool = False  # regression: numbers below 0 occur, so -1 is a number, not a missing label
    notes: list[str] = field(default_factory=list)  # what the user is told once


def _is_none(value: str) -> bool:
    """Is the label missing, in a column of any kind: empty, or nan?"""
    number = parse_number(value)
    return not value or (number is not None and math.isnan(number))


def infer_label_meaning(settings: DataSettings, column: LabelColumn, where: str) -> LabelMeaning:
    """Decide from the training labels: classes with their names in id order, numbers, or none (mlm).

    column: the labels of the training rows; where: these rows' name in messages. Raises DataError.
    """
    if settings.label is None:
        return LabelMeaning("mlm")
    if column.classes:
        return _classes(settings, column.classes, where, has_ids=True)
    values = [value for value in column.distinct if value]
    words = [value for value in values if parse_number(value) is None]
    if not words:
        values = [value for value in values if not _is_none(value)]
    if not values:
        raise no_labels_error(settings, "train", where)
    whole = not words and all(map(is_digits, values))
    if settings.task == "regression" or (settings.task == "auto" and not words and not whole):
        if words:
            raise _not_a_number(column, words[0], where)
        return _numbers(settings, values, where)
    if not words and all(float(value).is_integer() for value in values):
        values, whole = list(dict.fromkeys(map(plain_number, values))), True
    if settings.unlabelled == "drop" and UNLABELLED not in (settings.label_names or ()):
        values = [value for value in values if value != UNLABELLED]
    if len(values) > MOST_CLASSES or len(values) > max(20, len(column) // 2):
        raise DataError(
            f"{where}: the column {settings.label!r} has {len(values)} different values in {len(column)} rows, "
            "too many for classes. Try: data.task=regression, or another column with data.label=..."
        )
    return _classes(settings, sorted(values, key=float if whole else str), where)


def _numbers(settings: DataSettings, values: list[str], where: str) -> LabelMeaning:
    """Return labels as numbers; DataError if they may be classes as well, or have names."""
    if settings.task == "auto":
        _refuse_whole_floats(values, where)
    if settings.label_names:
        raise DataError(
            f"data.label_names: the labels of {where} are numbers, which have no names. "
            "Try: data.task=classification, or leave out data.label_names"
        )
    return LabelMeaning("regression", has_negative=any(float(value) < 0 for value in values))


def _refuse_whole_floats(values: list[str], where: str) -> None:
    """Raise DataError for a few whole numbers with a decimal point.

    They may be numbers, or classes that pandas turned into floats because one was missing.
    """
    numbers = sorted({float(value) for value in values})
    if len(numbers) <= MOST_WHOLE and all(number.is_integer() for number in numbers):
        shown = ", ".join(map(str, numbers[:SHOWN])) + (", ..." if len(numbers) > SHOWN else "")
        raise DataError(
            f"{where}: the labels are {len(numbers)} different whole numbers with a decimal point ({shown}), which "
            "may be classes or quantities. Try: data.task=classification, or data.task=regression"
        )


def _classes(settings: DataSettings, values: Sequence[str], where: str, has_ids: bool = False) -> LabelMeaning:
    """Return classes with these values and the user's names for them; has_ids: the dataset itself numbers them."""
    given, notes = settings.label_names, []
    if has_ids and isinstance(given, dict):
        by_id = {str(i): value for i, value in enumerate(values) if str(i) not in values}
        given = {by_id.get(key, key): name for key, name in given.items()}
    ids, names = name_classes(given, values, where)
    if given:
        shown = [f"{value} is {names[ids[value]]}" for value in sorted(values, key=ids.__getitem__)]
        notes.append(f"classes by data.label_names: {', '.join(shown[:20])}{', ...' if len(shown) > 20 else ''}")
    elif len(values) > 2 and not has_ids:
        notes += [
            f"the label {value!r} is taken as a class; if it means that the label is missing: "
            + ("data.unlabelled=drop" if value == UNLABELLED else "leave it empty, and data.missing=drop")
            for value in values
            if value.lower() in NONE
        ]
    return LabelMeaning("classification", names, ids, notes=notes)


def encode_labels(
    column: LabelColumn, meaning: LabelMeaning, settings: DataSettings, name: str, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as float64 or class ids, and the rows that have one, both (rows with a label,).

    name: of the split. Raises DataError for rows without a label unless the settings drop them, for infinite numbers,
    and for a class that the training rows do not have.
    """
    if meaning.kind == "mlm":
        return np.zeros(len(column), dtype=np.int64), np.arange(len(column))
    distinct = list(column.distinct)
    encoded = [_encoded(value, column, meaning, where) for value in distinct]
    absent = [number is None for number in encoded]
    without = column.spread(absent).astype(bool) if len(column) else np.ones(0, dtype=bool)
    if without.all():
        raise no_labels_error(settings, name, where)
    if without.any():
        _refuse_rows(column, [value for value, gone in zip(distinct, absent) if gone], without, settings, where)
    labels = column.spread([0 if number is None else number for number in encoded])
    rows = np.flatnonzero(~without)
    return labels[rows].astype(np.float64 if meaning.kind == "regression" else np.int64), rows


def _encoded(value: str, column: LabelColumn, meaning: LabelMeaning, where: str) -> float | None:
    """Return the class id or the number that a label stands for; None if it means a missing label."""
    if meaning.kind == "classification":
        known = meaning.ids.get(value, meaning.ids.get(plain_number(value)))
        if known is None and not _is_none(value) and plain_number(value) != UNLABELLED:
            raise DataError(
                f"{where} row {_row_of(column, value)}: the label {value!r} does not occur in the training rows "
                f"(labels: {', '.join(list(meaning.ids)[:10])}). Fix such rows, or add training rows of that class"
            )
        return known
    number = parse_number(value) if value else math.nan
    if number is None:
        raise _not_a_number(column, value, where)
    if math.isinf(number):
        raise DataError(
            f"{where}: the label {value!r} is not a finite number (row {_row_of(column, value)}). "
            "Fix such rows, or leave their label empty and use data.missing=drop"
        )
    return None if math.isnan(number) or (number == -1.0 and not meaning.has_negative) else number


def _refuse_rows(
    column: LabelColumn, values: list[str], without: np.ndarray, settings: DataSettings, where: str
) -> None:
    """Raise DataError for rows without a label, unless the settings drop them.

    data.unlabelled=drop covers -1, empty and nan; data.missing=drop only empty and nan.
    """
    marked = any(not _is_none(value) for value in values)
    if settings.unlabelled == "drop" or (settings.missing == "drop" and not marked):
        return
    shown = ", ".join(str(column.source_rows[i]) for i in np.flatnonzero(without)[:SHOWN])
    seen = ", ".join(value or "empty" for value in values)
    raise DataError(
        f"{where}: {int(without.sum())} of {len(without)} rows have no gold label ({seen}; rows {shown}). "
        f"Try: {'data.unlabelled=drop' if marked else 'data.missing=drop'}, or {_another(settings)}"
    )


def _another(settings: DataSettings) -> str:
    """Name the other way out for a split with unlabelled rows."""
    return "another split" if settings.source == "hub" else "label those rows"


def no_labels_error(settings: DataSettings, name: str, where: str) -> DataError:
    """Return the error for a split that has no labels at all, with the ways to go on."""
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


def _not_a_number(column: LabelColumn, value: str, where: str) -> DataError:
    """Return the error for a label that is text in a regression."""
    return DataError(
        f"{where} row {_row_of(column, value)}: the label {value!r} is not a number. Try: data.task=classification"
    )


def _row_of(column: LabelColumn, value: str) -> int:
    """Return the number, in the source, of the first row with this label."""
    return column.source_rows[column.codes.index(column.distinct[value])]
