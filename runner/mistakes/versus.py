"""Two runs on the same rows: which rows only one gets right, whether by chance, and in which slices they differ.

run compare A B --errors [--out FOLDER]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.counted import counted
from runner.errors import ConfigError
from runner.mistakes.answered import Answered
from runner.mistakes.page import LETTERS, shortened, where
from runner.mistakes.run_data import Place, read_run_data
from runner.mistakes.slicing import slices_of
from runner.mistakes.spans import span_slices, sureness
from runner.record.run_names import names_of
from runner.record.table import say_below, widen
from runner.report.markup import tag
from runner.report.page import Section, page
from runner.report.tables import Cell, Heading, table
from runner.sanitize import escape
from runner.statistics.paired import mcnemar_p
from runner.statistics.slices import PairedSlice, between_models
from runner.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 50  # rows on the page that only one run gets right; fewer on the terminal
FEW = 5
LETTERS_SHORT = 60


@dataclass(frozen=True)
class OnlyOne:
    """A row that one run gets right and the other wrong."""

    index: int
    label: str
    wrong: str  # the answer of the other run
    confidence: float  # of that answer; of a span, how far it is from the threshold of an answer
    place: Place | None = None
    text: str | None = None


@dataclass(frozen=True)
class Versus:
    """Two runs, A and B, on the same rows."""

    names: tuple[str, str]
    identities: tuple[str, str]
    split: str
    rows: int
    right: tuple[int, int]
    only: tuple[
        tuple[OnlyOne, ...], tuple[OnlyOne, ...]
    ]  # that only A, only B gets right; most confidently wrong first
    p: float  # McNemar's
    slices: tuple[PairedSlice, ...]
    no_texts: str | None

    @property
    def sentence(self) -> str:
        """Which run is better on these rows, or that no difference is visible."""
        a, b = map(len, self.only)
        counts = f"only B is right on {counted(b, 'row')}, only A on {a:,} (McNemar's p = {self.p:.2g})"
        if self.p >= 0.05:
            return f"No difference visible with {self.rows:,} rows: {counts}."
        return f"{'B' if b > a else 'A'} is better on these rows: {counts}."


def compare_errors(first: Answered, second: Answered, cache: Path) -> Versus:
    """Return the rows in which two runs differ.

    Raises ConfigError for runs on different rows, or without right and wrong answers.
    """
    for one in (first, second):
        if one.is_of_words or not one.names:
            raise ConfigError(
                f"run compare --errors works for classes and spans, but run {one.record.identity} has none"
            )
    same = first.split == second.split and np.array_equal(first.in_words("label"), second.in_words("label"))
    prints = {one.record.data.fingerprints.get(one.split) for one in (first, second)}
    if not same or len(prints) > 1:
        raise ConfigError(
            f"run compare --errors: {first.record.identity} and {second.record.identity} answered different rows "
            f"({first.record.dataset} {first.split}, {second.record.dataset} {second.split})"
        )
    run_data = read_run_data(first, cache)
    there = None if isinstance(run_data, str) else run_data
    texts = there.texts(first.split) if there else []
    rights, labels = (first.is_right, second.is_right), first.in_words("label")
    sides = []
    for mine, other, answered in ((rights[0], rights[1], second), (rights[1], rights[0], first)):
        rows = np.flatnonzero(mine & ~other)
        sure = sureness(answered) if answered.are_texts else answered.confidence
        rows = rows[np.argsort(-sure[rows], kind="stable")]
        places: list[Place | None] = [None] * len(rows)
        if there is not None:
            places = [*there.places(first.split, there.source_rows(first.split)[rows])]
        sides.append(tuple(
            OnlyOne(int(row), str(labels[row]), str(answered.in_words("prediction")[row]),
                    float(sure[row]), place, texts[row] if there else None)
            for row, place in zip(rows, places)
        ))  # fmt: skip
    slices = between_models(*rights, span_slices(first, there) if first.are_texts else slices_of(first, there, texts))
    names = names_of([first.record, second.record])
    return Versus(
        (names[0], names[1]), (first.record.identity, second.record.identity), first.split, len(rights[0]),
        (int(rights[0].sum()), int(rights[1].sum())), (sides[0], sides[1]),
        mcnemar_p(len(sides[0]), len(sides[1])), tuple(slices), run_data if isinstance(run_data, str) else None,
    )  # fmt: skip


def print_versus(found: Versus, console: Console) -> None:
    """Print the verdict, the slices that differ most, and some rows that only one run gets right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    widen(console)
    for letter, name, identity, right in zip("AB", found.names, found.identities, found.right):
        say_below(f"{letter}: {name} ({identity}): {right:,} of {found.rows:,} rows of {found.split} right", console)
    say_below(found.sentence, console)
    slices = Table(title="slices", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column, justify in (
        ("slice", "left"),
        ("rows", "right"),
        ("only A", "right"),
        ("only B", "right"),
        ("", "left"),
    ):
        slices.add_column(column, justify="right" if justify == "right" else "left", overflow="fold")
    for one in found.slices[: 2 * FEW]:
        slices.add_row(escape(one.name), f"{one.rows:,}", f"{one.only_first:,}", f"{one.only_second:,}", one.in_words)
    if found.slices:
        console.print(slices)
    for letter, side in zip("BA", reversed(found.only)):
        if side:
            say_below(f"only {letter} is right, for example:", console)
        for row in side[:FEW]:
            text = f": {shortened(' '.join(row.text.split()), LETTERS_SHORT)}" if row.text else ""
            say_below(f"  {_place(row)}, {row.label}, the other says {row.wrong}{text}", console)
    if found.no_texts:
        say_below(f"no texts: {found.no_texts}", console)


def _place(one: OnlyOne) -> str:
    return where(one.place) if one.place else f"row {one.index + 1:,} of the split"


def versus_page(found: Versus) -> str:
    """Return the comparison as a page."""
    titles: list[Heading | str] = [
        "slice", Heading("rows", True), Heading("only A right", True), Heading("only B right", True),
        Heading("B - A", True), "difference", Heading("Holm's p", True),
    ]  # fmt: skip
    lines: list[list[Cell | str]] = [
        [one.name, Cell(f"{one.rows:,}", one.rows), Cell(f"{one.only_first:,}", one.only_first),
         Cell(f"{one.only_second:,}", one.only_second), Cell(f"{one.difference:+.3f}", one.difference), one.in_words,
         Cell(f"{one.p_holm:.2g}", one.p_holm)]
        for one in found.slices
    ]  # fmt: skip
    told = ["McNemar's test on each slice, Holm's correction over all shown; at least 30 rows. Slices overlap."]
    sections = [
        Section("Verdict", tag("p", found.sentence), "verdict"),
        Section("Slices", table(titles, lines, is_sortable=True), "slices", told),
        _only("B", found.only[1], found), _only("A", found.only[0], found),
    ]  # fmt: skip
    lead = " and ".join(f"{letter}: {name} ({identity})" for letter, name, identity in
                        zip("AB", found.names, found.identities))  # fmt: skip
    facts = f"{found.rows:,} rows of {found.split}, right {found.right[0]:,} and {found.right[1]:,}. Bertier {VERSION}"
    return page("Where two runs differ", sections, lead=lead, facts=facts)


def _only(letter: str, rows: Sequence[OnlyOne], found: Versus) -> Section:
    has_text = found.no_texts is None
    titles: list[Heading | str] = [*(["text"] if has_text else []), "label", "the other says", Heading("row", True)]
    lines: list[list[Cell | str]] = [
        [*([Cell(shortened(one.text or "", LETTERS), style="text")] if has_text else []), one.label, one.wrong,
         Cell(_place(one), one.place.row if one.place else one.index)]
        for one in rows[:SHOWN]
    ]  # fmt: skip
    told = [
        f"{min(SHOWN, len(rows)):,} of {len(rows):,} rows, those on which the other is most sure of its mistake first.",
        *([f"No texts: {found.no_texts}."] if found.no_texts else []),
    ]
    return Section(f"Only {letter} is right", table(titles, lines, is_sortable=True), f"only-{letter.lower()}", told)
