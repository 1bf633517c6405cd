"""Tables that fit the terminal: names are kept whole, and less important columns are dropped if there is no room.

table, shown = fitted_table("runs", [Column("run", 0, names, is_name=True), Column("score", 0, scores)], width=80)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.table import Table

PADDING = 3  # of a column
NAME = 40  # characters of a name for which other columns are dropped; a longer name continues on the next line


@dataclass(frozen=True)
class Column:
    """A column with its cells. rank: the highest is dropped first if there is no room, 0 never."""

    title: str
    rank: int
    cells: Sequence[str]
    is_name: bool = False  # text that may be broken, rather than a number on the right

    @property
    def width(self) -> int:
        """The characters that the column needs."""
        longest = max(map(len, [self.title, *self.cells]))
        return (min(longest, NAME) if self.is_name else longest) + PADDING


def fitted_table(
    title: str, columns: Sequence[Column], width: int, section_after: Collection[int] = ()
) -> tuple[Table, list[str]]:
    """Return the table of the columns that fit the width, in their order, and their titles; empty columns are left out.

    section_after: the numbers of the rows below which a line is left empty.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = fitting([column for column in columns if any(column.cells)], width)
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in shown:
        if column.is_name:
            table.add_column(escape(column.title), overflow="fold")
        else:
            table.add_column(escape(column.title), justify="right", no_wrap=True)
    for number, cells in enumerate(zip(*(column.cells for column in shown))):
        table.add_row(*map(escape, cells))
        if number in section_after:
            table.add_section()
    return table, [column.title for column in shown]


def fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that fit, in their order: by their ranks, up to the first without room."""
    chosen: list[int] = []
    for number in sorted(range(len(columns)), key=lambda number: columns[number].rank):
        width -= columns[number].width
        if width < 0 and columns[number].rank:
            break
        chosen.append(number)
    return [columns[number] for number in sorted(chosen)]
