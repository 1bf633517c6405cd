"""A set of labels for each row, maybe empty: a list, a text with a separator, or a column of 0 and 1 for each label.

Stored as 0 and 1, (rows, C) int8. A row with an empty set is a valid row: it is a negative example for every label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.labels import Labels
from data.settings import DataSettings
from data.sources.cells import is_digits, plain_number
from data.splits import TokenSplit
from data.targets.base import ColumnTarget
from data.targets.class_names import name_classes
from data.targets.label_column import LabelColumn, no_labels_error, refuse_rows
from data.targets.label_forms import ids_by_number, likely_separator, merged_numbers, spelling_notes

SHOWN = 5  # labels named in a message


class LabelSet(ColumnTarget):
    """Each row has a set of labels."""

    name = "label_set"
    task = "multilabel"
    reads_lists = True

    def __init__(
        self, names: tuple[str, ...], ids: Mapping[str, int] | None = None, notes: list[str] | None = None, *,
        allows_rare: bool = False,
    ) -> None:  # fmt: skip
        """allows_rare: may a label have no training row?"""
        super().__init__(names, notes)
        self.ids = {name: index for index, name in enumerate(names)} if ids is None else ids  # of each label
        self._ids = ids_by_number(self.ids)
        self.allows_rare = allows_rare

    @classmethod
    def reads(cls, settings: DataSettings, column: LabelColumn) -> bool:
        """Does data.task ask for label sets or, with auto, are there lists, a separator, or a column for each label?"""
        asked = settings.task
        if asked not in ("auto", cls.task):
            return False
        return asked == cls.task or bool(column.lists or settings.labels or settings.label_separator)

    @classmethod
    def of(cls, settings: DataSettings, column: LabelColumn, where: str) -> LabelSet:
        """Take the training labels for sets; DataError for fewer than two labels, and for names that do not fit."""
        _refuse_joined(settings, column, where)
        _refuse_vectors(column, where)
        sets = [labels_of(value, column, settings) for value in column.distinct]
        values = list(column.classes) or _in_order(merged_numbers(label for labels in sets for label in labels))
        if not values:
            raise no_labels_error(settings, "train", where)
        if len(values) < 2:
            raise DataError(
                f"{where}: there is only one label, {values[0]!r}, but a label set needs two or more. Try: data.task="
                f"classification with a column of two classes, those with and without {values[0]!r}"
            )
        ids, names = name_classes(settings.label_names, values, where)
        notes = []
        asked = settings.task
        if asked == "auto" and column.lists and not settings.labels:
            notes.append(
                f"the column {settings.label!r} holds lists, so each row has a set of labels (task=multilabel)"
            )
        if not settings.label_names and not column.classes:
            notes += spelling_notes(values)
        if sets and all(len(set(labels)) == 1 for labels in sets):
            notes.append("every training row has exactly one label, so classification is enough: one column of labels")
        return cls(names, ids, notes, allows_rare=settings.rare == "keep")

    def read(self, column: LabelColumn, settings: DataSettings, name: str, where: str) -> tuple[Labels, np.ndarray]:
        """Return 0 and 1, (rows, C) int8; DataError for a label that the training rows do not have."""
        distinct = list(column.distinct)
        sets = [labels_of(value, column, settings) for value in distinct]
        without = self._missing(column, distinct, settings, where)
        codes = np.frombuffer(column.codes, np.int64)
        rows_of = np.bincount(codes[~without], minlength=len(distinct))
        self._refuse_unknown(sets, rows_of, column, distinct, where)
        found = np.zeros((len(distinct), len(self.names)), np.int8)
        for line, labels in zip(found, sets):
            line[[place for label in labels if (place := self._id(label)) is not None]] = 1
        self._tell(sets, rows_of, distinct, settings, name)
        values = found[codes]
        kept = ~without & (values.any(axis=1) if settings.empty == "drop" else True)
        if not kept.any():
            raise no_labels_error(settings, name, where)
        return Labels(values[kept]), np.flatnonzero(kept)

    def _id(self, label: str) -> int | None:
        return self._ids.get(label, self._ids.get(plain_number(label)))

    def _missing(
        self, column: LabelColumn, distinct: Sequence[str], settings: DataSettings, where: str
    ) -> np.ndarray:  # fmt: skip
        """Return which rows lack even an empty set of labels, (rows,) bool; DataError unless they are dropped."""
        absent = [value == "" and not settings.label_separator for value in distinct]
        without = column.spread(absent).astype(bool) if len(column) else np.ones(0, bool)
        if without.any():
            refuse_rows(column, [""], without, settings, where)
        return without

    def _refuse_unknown(
        self, sets: Sequence[list[str]], rows_of: np.ndarray, column: LabelColumn, distinct: Sequence[str], where: str
    ) -> None:
        """Raise DataError for labels that the training rows do not have, with the number of their rows."""
        rows, first = Counter[str](), dict[str, int]()
        for labels, count, value in zip(sets, rows_of.tolist(), distinct):
            for label in {label for label in labels if self._id(label) is None}:
                rows[label] += count
                first[label] = min(first.get(label, 1 << 62), column.row_of(value))
        if rows:
            shown = ", ".join(f"{label!r} in {n:,} (first: row {first[label]})" for label, n in rows.most_common(SHOWN))
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            raise DataError(
                f"{where}: labels that no training row has, with their rows: {shown}{more}. Fix such rows, or add "
                "training rows with these labels"
            )

    def _tell(
        self, sets: Sequence[list[str]], rows_of: np.ndarray, distinct: Sequence[str], settings: DataSettings, name: str
    ) -> None:
        """Add notes about rows without labels, and about rows with duplicate labels."""
        empty = int(sum(n for labels, n in zip(sets, rows_of) if not labels))
        twice = int(sum(n for labels, n in zip(sets, rows_of) if len(set(labels)) < len(labels)))
        if empty and settings.empty == "keep":
            self.notes.append(
                f"{name}: {empty:,} of {rows_of.sum():,} rows have no label; without them: data.empty=drop"
            )
        if twice:
            self.notes.append(
                f"{name}: {counted(twice, 'row has', 'rows have')} a label more than once, which counts once"
            )

    def check(self, labels: Mapping[str, Labels], where: str) -> dict[str, Labels]:
        """Return the labels unchanged; DataError for a label that no training row has, unless that is allowed."""
        rare = without_rows(labels["train"].values, self.names)
        if rare and not self.allows_rare:
            raise DataError(
                f"{where}: no training row has {_shown(rare)}, so nothing can be learnt about "
                f"{'them' if len(rare) > 1 else 'it'}. Try: data.rare=keep, or data without such labels"
            )
        return dict(labels)

    def members(self, labels: Labels) -> np.ndarray:
        """Return the sets themselves, (rows, C) bool."""
        return np.asarray(labels.values) > 0

    def notes_on(self, split: TokenSplit, settings: DataSettings) -> list[str]:
        """Return a line on the labels that no row of a split has."""
        rare = without_rows(split.labels.values, self.names)
        return [f"{split.name} has no row with {_shown(rare)}"] if rare else []


def find_lists(column: LabelColumn, settings: DataSettings) -> None:
    """Let a column of texts such as "['a', 'b']" hold sets of labels, unless they are classes or have a separator."""
    asked = settings.task
    if asked in ("auto", LabelSet.task) and not settings.label_separator and not column.classes:
        column.find_lists()


def labels_of(value: str, column: LabelColumn, settings: DataSettings) -> list[str]:
    """Return the labels in a cell."""
    if value in column.lists:
        return [label for label in column.lists[value] if label]
    if settings.label_separator:
        return [label for part in value.split(settings.label_separator) if (label := part.strip())]
    return [value] if value else []


def _refuse_joined(settings: DataSettings, column: LabelColumn, where: str) -> None:
    """Raise DataError for texts that seem to hold several labels each, if no separator is set."""
    if settings.label_separator or column.lists or column.classes:
        return
    found = likely_separator(list(column.distinct))
    if found is not None:
        separator, example = found
        raise DataError(
            f"{where}: {example!r} in the column {settings.label!r} seems to be several labels. Try: "
            f"'data.label_separator=\"{separator}\"', or task=classification if it is one"
        )


def _refuse_vectors(column: LabelColumn, where: str) -> None:
    """Raise DataError for vectors with a 0 or a 1 for each label, which would be read as sets of the labels 0 and 1."""
    found, sizes = list(column.lists), {len(labels) for labels in column.lists.values()}
    marks = {plain_number(label) for labels in column.lists.values() for label in labels}
    if column.classes or len(sizes) != 1 or max(sizes) < 2 or not (marks <= {"0", "1"} or marks <= {"False", "True"}):
        return
    raise DataError(
        f"{where} row {column.row_of(found[0])} holds {found[0]:.80}, and all rows have such a list of {max(sizes)} "
        "marks; a list must hold the labels that a row has. Write their names, or a column of 0 and 1 for each label "
        "and 'data.labels=[<those columns>]'"
    )


def without_rows(values: np.ndarray, names: Sequence[str]) -> list[str]:
    """Return the labels that no row has; values: (rows, C)."""
    return [name for name, count in zip(names, np.asarray(values).sum(axis=0, dtype=np.int64)) if not count]


def _in_order(labels: Sequence[str]) -> list[str]:
    """Return labels in id order: by value if all are whole numbers, else by name."""
    return sorted(labels, key=int) if all(map(is_digits, labels)) else sorted(labels)


def _shown(labels: Sequence[str]) -> str:
    """List the first labels for a message."""
    more = f" and {len(labels) - SHOWN} more labels" if len(labels) > SHOWN else ""
    return ", ".join(map(repr, labels[:SHOWN])) + more
