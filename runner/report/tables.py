"""Tables of a page: sortable by a click, with a fixed first column; wide ones scroll inside their card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.report.markup import Markup, join, tag


@dataclass(frozen=True)
class Heading:
    """The title of a column; numbers are aligned to the right."""

    title: str
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell. value: what rows are sorted by; None sorts last. style: a class of page.css, e.g. good, bad, quiet.

    number: the row's number in the charts of the page, shown before the text.
    """

    text: str | Markup
    value: float | str | None = None
    style: str = ""
    number: int | None = None


Row = Sequence[Cell | str]


def table(
    headings: Sequence[Heading | str],
    rows: Sequence[Row],
    *,
    is_sortable: bool = False,
    marked: Sequence[int] = (),
    name: str = "",
    foot: Sequence[Row] = (),
) -> Markup:
    """Return a table. marked: the rows, counted from 0, with a tinted background. name: its id. foot: rows that stay
    below the others, however these are sorted.
    """
    titles = [Heading(heading) if isinstance(heading, str) else heading for heading in headings]
    head = tag("tr", *(_heading(one, is_sortable) for one in titles))
    body = join(
        tag("tr", *(_cell(cell, one) for cell, one in zip(row, titles)), class_="marked" if i in marked else None)
        for i, row in enumerate(rows)
    )
    last = join(tag("tr", *(_cell(cell, one) for cell, one in zip(row, titles))) for row in foot)
    parts = [tag("thead", head), tag("tbody", body), *([tag("tfoot", last)] if foot else [])]
    whole = tag("table", *parts, id=name or None)
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label="table")


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names and values as a list in two columns."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs))


def _heading(heading: Heading, is_sortable: bool) -> Markup:
    title = tag("button", heading.title, type="button") if is_sortable else heading.title
    return tag("th", title, scope="col", class_="number" if heading.is_number else None)


def _cell(cell: Cell | str, heading: Heading) -> Markup:
    cell = Cell(cell, cell) if isinstance(cell, str) else cell
    styles = " ".join(filter(None, ["number" if heading.is_number else "", cell.style]))
    return tag("td", cell.text, class_=styles or None, data_value=cell.value, data_number=cell.number)
