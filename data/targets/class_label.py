"""One of several classes as the label of a row: class names and order, the positive class, and checks.

Labels are compared by value: 1..5 are five classes, and 0.0 is the same as 0. Whole numbers are ids of named classes
only if a hub dataset declares them so (ClassLabel).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np

from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.sources.cells import is_digits, plain_number
from data.targets.base import ColumnTarget
from data.targets.class_names import name_classes
from data.targets.label_column import NONE, SHOWN, UNLABELLED, LabelColumn, encode_column, is_none, no_labels_error
from data.targets.label_forms import ids_by_number, is_local_number, likely_separator, merged_numbers, spelling_notes

MOST_CLASSES = 1000
# Class 0 is the rarer class if it has fewer rows than this share of class 1's; otherwise the difference may be chance.
RARER = 0.9


class ClassLabel(ColumnTarget):
    """Each row has one of several classes."""

    name = "class_label"
    task = "classification"

    def __init__(
        self, names: tuple[str, ...], ids: Mapping[str, int] | None = None, notes: list[str] | None = None
    ) -> None:
        super().__init__(names, notes)
        self.ids = {name: index for index, name in enumerate(names)} if ids is None else ids  # of each label

    @classmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Return True: any labels can be classes, so this target is tried last."""
        return True

    @classmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> ClassLabel:
        """Create the classes from the training labels, with their names in id order."""
        if column.classes:
            return cls._named(settings, column.classes, where, has_ids=True)
        values, words = column.values(), column.words()
        if not values:
            raise no_labels_error(settings, "train", where)
        asked = settings.task
        if asked == "auto" and words and all(map(is_local_number, words)):
            raise DataError(
                f"{where}: the labels look like numbers, but cannot be read as such ({', '.join(words[:SHOWN])}). "
                "Try: data.task=classification, if each is a class; to learn numbers, write them like 1234.5"
            )
        if asked == "auto":
            _refuse_mixed(column, where)
        whole = not words and all(map(is_digits, values))
        if not words and all(float(value).is_integer() for value in values):
            # A number in digits keeps its form, such as +1 beside -1, unless another form of it occurs too.
            values = [value if is_digits(value) else plain_number(value) for value in values]
            whole = True
        values = merged_numbers(values)
        if settings.unlabelled == "drop" and UNLABELLED not in (settings.label_names or ()):
            values = [value for value in values if plain_number(value) != UNLABELLED]
        if len(values) > MOST_CLASSES or len(values) > max(20, len(column) // 2):
            cure = ", or ".join(["another column with data.label=...", *_sets_instead(words)])
            raise DataError(
                f"{where}: the column {settings.label!r} has {len(values)} different values in {len(column)} rows, "
                f"too many for classes. Try: {cure if words else f'data.task=regression, or {cure}'}"
            )
        return cls._named(settings, sorted(values, key=float if whole else str), where)

    @classmethod
    def _named(cls, settings: DataSettings, values: Sequence[str], where: str, has_ids: bool = False) -> ClassLabel:
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
        if not given and not has_ids:
            notes += [*spelling_notes(values), *_sets_instead(values)]
        return cls(names, ids, notes)

    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return class ids, int64; DataError for a class that the training rows do not have."""

        ids = ids_by_number(self.ids)

        def id_of(value: str) -> float | None:
            known = ids.get(value, ids.get(plain_number(value)))
            if known is None and not is_none(value) and plain_number(value) != UNLABELLED:
                raise DataError(
                    f"{where} row {column.row_of(value)}: the label {value!r} does not occur in the training rows "
                    f"(labels: {', '.join(list(self.ids)[:10])}). Fix such rows, or add training rows of that class"
                )
            return known

        labels, rows = encode_column(column, id_of, settings, name, where)
        return Labels(labels.astype(np.int64)), rows

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the labels unchanged; DataError if the training labels have fewer than two classes."""
        if problem := self.why_unlearnable(labels["train"]):
            raise DataError(f"{where}: {problem}. Try: another column with data.label=..., or more rows")
        return dict(labels)

    def why_unlearnable(self, labels: Labels) -> str | None:
        """Return a clause if all labels are of one class."""
        seen = np.unique(labels.values)
        if len(seen) > 1:
            return None
        only = self.names[int(seen[0])] if len(seen) else "none"
        return f"all training labels are {only!r}; a classifier needs at least two classes"

    def strata(self, labels: Labels) -> np.ndarray:
        """Return the classes themselves."""
        return labels.values

    def positive_class(self, wanted: str | None, labels: Labels) -> int:
        """Return the id of the positive class: the named one, else the rarer one in train.

        The rarer class is chosen because always predicting the more frequent one would give it a high F1. The id is 1
        if both are about equally frequent. DataError for a name that is not one of the two classes.
        """
        if len(self.names) != 2:
            return super().positive_class(wanted, labels)
        if wanted is None:
            first, second = np.bincount(labels.values, minlength=2)[:2]
            return 0 if first < RARER * second else 1
        if wanted not in self.names:
            close = difflib.get_close_matches(wanted, self.names, n=1) or [self.names[1]]
            raise DataError(
                f"data.positive={wanted}: no such class; the classes are {', '.join(self.names)}. "
                f"Try: data.positive={close[0]}"
            )
        return self.names.index(wanted)


def _refuse_mixed(column: LabelColumn, where: str) -> None:
    """Raise DataError for quantities among which a few labels are words: one "unknown" would make each number a class.

    Whole numbers are no sign of quantities, and neither are as many words as numbers.
    """
    words = column.words()
    numbers = [float(value) for value in column.distinct if value and value not in words and not is_none(value)]
    if 0 < len(words) < len(numbers) and not all(number.is_integer() for number in numbers):
        raise DataError(
            f"{where} row {column.row_of(words[0])}: the label {words[0]!r} is not a number, but {len(numbers)} of the "
            f"{len(numbers) + len(words)} different labels are. Try: data.task=classification, if each is a class; to "
            "learn numbers, leave such a label empty, and data.missing=drop"
        )


def _sets_instead(values: Sequence[str]) -> list[str]:
    """Return the setting that reads sets of labels, where a text seems to hold several; else nothing."""
    found = likely_separator(values)
    return [f"if {found[1]!r} is several labels: 'data.label_separator=\"{found[0]}\"'"] if found is not None else []
