"""The page for answers other than one class per row: numbers and tags fill it with their own sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.run_data import RunData
from runner.record.table import say_below, widen
from runner.report.markup import tag
from runner.report.page import Section, page
from runner.sanitize import escape
from runner.version import VERSION

if TYPE_CHECKING:
    from rich.console import Console


CsvLine = tuple[str | int | float | None, ...]


@dataclass(frozen=True)
class Plain:
    """Findings about numbers or tags: sentences, sections of the page, and lines for the spreadsheet."""

    title: str
    lead: str
    sentences: list[str]
    sections: list[Section]
    columns: tuple[str, ...]
    lines: list[CsvLine]


def plain_page(found: Plain, identity: str) -> str:
    """Return the page."""
    short = Section("In short", tag("ul", *(tag("li", line) for line in found.sentences)), "short")
    return page(found.title, [short, *found.sections], lead=found.lead, facts=f"run {identity}. Bertier {VERSION}")


def print_plain(found: Plain, console: Console) -> None:
    """Print the sentences."""
    widen(console)
    console.print(escape(f"{found.title}: {found.lead}"), soft_wrap=not console.is_terminal)
    for sentence in found.sentences:
        say_below(sentence, console)


class RowPlace(NamedTuple):
    """Where a row is: as in `Place`, or in the split if its file cannot be read."""

    file: str
    row: int
    line: int | None

    def __str__(self) -> str:
        return f"{self.file} {self.row:,}" if self.file else f"row {self.row:,} of the split"


def places_of(answered: Answered, run_data: RunData | None, rows: np.ndarray) -> list[RowPlace]:
    """Return where rows of the split are."""
    if run_data is None:
        return [RowPlace("", row + 1, None) for row in rows.tolist()]
    found = run_data.places(answered.split, run_data.source_rows(answered.split)[rows])
    return [RowPlace(place.file, place.row, place.line) for place in found]
