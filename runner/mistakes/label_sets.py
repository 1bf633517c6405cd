"""The mistakes of a multi-label model: for each label how often it is missed or added, and the worst rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.counted import counted
from runner.mistakes.answered import Answered
from runner.mistakes.page import shortened
from runner.mistakes.plain import CsvLine, Plain, RowPlace, places_of
from runner.mistakes.run_data import RunData
from runner.record.run_names import name_of
from runner.report.page import Section
from runner.report.tables import Cell, Heading, Row, table
from runner.statistics.label_set_scores import matrix
from runner.statistics.probabilities import sigmoid

SHOWN = 50  # rows on the page
FEW = 5  # labels in the summary
BETWEEN = ", "  # labels of a set
COLUMNS = ("what", "split", "file", "row", "line", "missed", "added", "labels", "answered", "text")


@dataclass(frozen=True)
class LabelCounts:
    """One label: rows that have it, rows answered with it, and those where both is true."""

    name: str
    rows: int
    answered: int
    right: int

    @property
    def missed(self) -> int:
        """Rows that have the label but are not given it."""
        return self.rows - self.right

    @property
    def added(self) -> int:
        """Rows that are given the label but do not have it."""
        return self.answered - self.right

    @property
    def f1(self) -> float:
        """The F1 of the label; 0 if it neither occurs nor is predicted."""
        return 2 * self.right / max(1, self.rows + self.answered)


@dataclass(frozen=True)
class WrongSet:
    """A row whose set is wrong; names of labels are joined."""

    place: RowPlace
    missed: str
    added: str
    labels: str
    answered: str
    text: str


def analyse_label_sets(answered: Answered, run_data: RunData | None) -> Plain:
    """Return the findings about sets of labels."""
    names = tuple(answered.record.data.labels)
    labels, sets = (matrix(answered.answers, name) > 0 for name in ("label", "prediction"))
    each = [
        LabelCounts(name, int(truth.sum()), int(given.sum()), int((truth & given).sum()))
        for name, truth, given in zip(names, labels.T, sets.T)
    ]
    weakest = sorted((one for one in each if one.rows or one.answered), key=lambda one: (one.f1, -one.rows))
    wrong = worst_rows(labels, sets, sigmoid(matrix(answered.answers, "logit")))
    written = _wrong_sets(answered, run_data, wrong, names)
    told = [
        f"{one.name}: F1 {one.f1:.3f} on {counted(one.rows, 'row')}; missed in {one.missed:,}, added in {one.added:,}."
        for one in weakest[:FEW]
    ]
    empty = int((~sets.any(axis=1) & labels.any(axis=1)).sum())
    told += [f"Rows with labels that are answered with none: {empty:,}."] if empty else []
    lead = f"{len(wrong):,} of {len(labels):,} rows of {answered.split} have a wrong set of labels"
    lines: list[CsvLine] = [
        ("wrong set", answered.split, *one.place, one.missed, one.added, one.labels, one.answered, one.text)
        for one in written
    ]
    sections = [_labels(weakest), _worst(written[:SHOWN])]
    return Plain(f"Errors of {name_of(answered.record)}", lead, told, sections, COLUMNS, lines)


def worst_rows(labels: np.ndarray, sets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the rows with a wrong set, (wrong,): most wrong labels first, then the most confident.

    labels, sets: (rows, C) bool; probabilities: (rows, C).
    """
    is_wrong = labels != sets
    count = is_wrong.sum(axis=1)
    sure = (np.abs(probabilities - 0.5) * is_wrong).max(axis=1, initial=0.0)
    order = np.lexsort((-sure, -count))
    return np.asarray(order[count[order] > 0])


def _wrong_sets(
    answered: Answered, run_data: RunData | None, rows: np.ndarray, names: Sequence[str]
) -> list[WrongSet]:  # fmt: skip
    """Return these rows with the names of their labels."""
    labels, sets = (matrix(answered.answers, name)[rows] > 0 for name in ("label", "prediction"))
    texts = run_data.texts(answered.split, rows) if run_data else [""] * len(rows)

    def named(chosen: np.ndarray) -> str:
        return BETWEEN.join(names[place] for place in np.flatnonzero(chosen).tolist())

    return [
        WrongSet(place, named(truth & ~given), named(given & ~truth), named(truth), named(given), text)
        for place, truth, given, text in zip(places_of(answered, run_data, rows), labels, sets, texts)
    ]


def _labels(weakest: Sequence[LabelCounts]) -> Section:
    titles: list[Heading | str] = [
        "label", *(Heading(name, True) for name in ("rows", "answered", "right", "missed", "added", "F1")),
    ]  # fmt: skip
    lines: list[Row] = [
        [one.name, *(Cell(f"{n:,}", n) for n in (one.rows, one.answered, one.right, one.missed, one.added)),
         Cell(f"{one.f1:.3f}", one.f1)]
        for one in weakest
    ]  # fmt: skip
    return Section(
        "Labels", table(titles, lines, is_sortable=True), "classes", ["Counts are of rows, lowest F1 first."]
    )


def _worst(found: Sequence[WrongSet]) -> Section:
    titles: list[Heading | str] = ["text", "missed", "added", "labels", "answered", "row"]
    lines: list[Row] = [
        [Cell(shortened(one.text), style="text"), one.missed, one.added, one.labels, one.answered, str(one.place)]
        for one in found
    ]
    told = ["Most wrong labels first, then by confidence. All of them are in errors.csv."]
    return Section("Rows with the most wrong labels", table(titles, lines, is_sortable=True), "mistakes", told)
