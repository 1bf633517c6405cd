"""A number as the label of a row: whether float32 can hold it, and whether training must standardise it.

A new head predicts values around 0, and an optimizer's steps are as large for targets of 250,000 as for targets of 2.
Targets far from 0 or on another scale would not be reached, so training standardises them: it subtracts the mean of the
training targets and divides by their standard deviation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.sources.cells import is_digits, parse_number
from data.splits import TargetScale
from data.targets.base import ColumnTarget
from data.targets.label_column import SHOWN, UNLABELLED, LabelColumn, encode_column, no_labels_error
from data.targets.label_forms import is_local_number

MOST_WHOLE = 20  # up to this many different whole floats, such as 0.0 and 1.0, may be either classes or numbers
MARK = float(UNLABELLED)
FEW = 3  # with at most this many different numbers, such as -1, 0 and 1, a -1 hardly means that a label is missing
MOST, LEAST = 1e35, 1e-30  # largest target and smallest standard deviation: float32 ends at 3e38 and 1e-38
ROUNDING = 1e-3  # largest accepted float32 rounding error, in standard deviations; too small to change a score
# Mean and standard deviations beyond which targets are standardised; those of STS-B are 2.7 and 1.5.
FAR, WIDE, NARROW = 10.0, 10.0, 0.1


class Number(ColumnTarget):
    """Each row has a number, read from text as float64 and stored as float32."""

    name = "number"
    task = "regression"

    def __init__(self, has_negative: bool = True, notes: list[str] | None = None) -> None:
        super().__init__(notes=notes)
        self.has_negative = has_negative  # numbers below 0 occur, so -1 is a number, not a missing label

    @classmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Does data.task ask for numbers, or are all labels numbers and some of them not whole?"""
        asked = settings.task
        if column.classes or asked not in ("auto", cls.task):
            return False
        return asked == cls.task or not (column.words() or all(map(is_digits, column.values())))

    @classmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> Number:
        """Read the training labels as numbers; DataError if they could also be classes, or if names are given."""
        values, words = column.values(), column.words()
        if not values:
            raise no_labels_error(settings, "train", where)
        if words:
            raise _not_a_number(column, words[0], where)
        asked = settings.task
        if asked == "auto":
            _refuse_whole_floats(values, where)
        if settings.label_names:
            raise DataError(
                f"data.label_names: the labels of {where} are numbers, which have no names. "
                "Try: data.task=classification, or leave out data.label_names"
            )
        negative = {float(value) for value in values if float(value) < 0}
        notes = []
        if negative == {MARK} and settings.unlabelled != "drop" and len(values) > FEW:
            notes.append(
                f"the label {MARK:g} is taken as a number, and is the only one below 0; if it means that the label is "
                "missing: data.unlabelled=drop"
            )
        return cls(bool(negative), notes)

    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return numbers, float64; DataError for text and for numbers that are not finite."""

        def number_of(value: str) -> float | None:
            number = parse_number(value) if value else math.nan
            if number is None:
                raise _not_a_number(column, value, where)
            if math.isinf(number):
                raise DataError(
                    f"{where}: the label {value!r} is not a finite number (row {column.row_of(value)}). "
                    "Fix such rows, or leave their label empty and use data.missing=drop"
                )
            is_mark = number == MARK and (not self.has_negative or settings.unlabelled == "drop")
            return None if math.isnan(number) or is_mark else number

        labels, rows = encode_column(column, number_of, settings, name, where)
        return Labels(labels.astype(np.float64)), rows

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the targets as float32; DataError if they overflow or training targets are too close for float32."""
        for split in labels.values():
            most = float(np.abs(split.values).max(initial=0.0))
            if most > MOST:
                raise DataError(
                    f"{where}: a target is as large as {most:.3g}, but float32 computes with numbers up to {MOST:g}. "
                    f"Try: divide the column by {most:.0e}, or take its logarithm"
                )
        _check_spread(labels["train"].values, where)
        return {name: Labels(split.values.astype(np.float32)) for name, split in labels.items()}

    def scale(self, settings: DataSettings, labels: Labels, where: str) -> TargetScale | None:
        """Return mean and standard deviation for standardising the training targets; None to leave them unchanged.

        With data.standardize=auto they are standardised if |mean| or the standard deviation is above 10, or the
        standard deviation below 0.1. With range they are scaled to 0..1: the smallest target replaces the mean, and the
        difference between largest and smallest replaces the standard deviation.
        """
        found = target_statistics(labels.values, where)
        if settings.standardize == "range":
            least, most = float(labels.values.min()), float(labels.values.max())
            return TargetScale(least, most - least)
        is_odd = abs(found.mean) > FAR or found.sd > WIDE or found.sd < NARROW
        return found if settings.standardize == "always" or (settings.standardize == "auto" and is_odd) else None


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


def _not_a_number(column: LabelColumn, value: str, where: str) -> DataError:
    """Return the error for a regression label that is not a number."""
    cure = "Write it like 1234.5" if is_local_number(value) else "Try: data.task=classification"
    return DataError(f"{where} row {column.row_of(value)}: the label {value!r} is not a number. {cure}")


def _check_spread(labels: np.ndarray, where: str) -> None:
    """Raise DataError for training targets (rows,) float64 that are too close together for float32."""
    found = target_statistics(labels, where)
    if found.sd < LEAST:
        raise DataError(
            f"{where}: the targets have a standard deviation of {found.sd:.3g}, too small for float32. "
            f"Try: divide the column by {found.sd:.0e}"
        )
    step = float(np.spacing(np.float32(np.abs(labels).max())))
    if step / 2 > ROUNDING * found.sd:
        raise DataError(
            f"{where}: the targets are around {found.mean:,.10g} with a standard deviation of {found.sd:,.3g}, but "
            f"float32 has steps of {step:,.3g} there. Try: subtract {found.mean:,.0f} from the column"
        )


def target_statistics(labels: np.ndarray, where: str) -> TargetScale:
    """Return mean and standard deviation of training targets (rows,); DataError if all are equal."""
    numbers = labels.astype(np.float64)
    if numbers.min() == numbers.max():
        raise DataError(
            f"{where}: all {len(labels)} training targets are {numbers[0]:g}, so there is nothing to learn. "
            "Try: another column with data.label=..., or more rows"
        )
    return TargetScale(float(numbers.mean()), float(numbers.std()))
