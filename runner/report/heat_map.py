"""Heat maps: tables of numbers with darker cells for larger shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.report.confusion import FULL
from runner.report.markup import Markup, join, tag


@dataclass(frozen=True)
class Heat:
    """One cell. share: 0 to 1, how dark it is; tip: its tooltip."""

    text: str
    share: float
    tip: str


def heat_map(columns: Sequence[str], rows: Mapping[str, Sequence[Heat | None]], *, corner: str, name: str) -> Markup:
    """Return a heat map. rows: by name, a cell a column, None if there is no number; corner: what the two axes are.

    name: of the map, for screen readers.
    """
    head = tag("tr", tag("th", corner, scope="col"), *(tag("th", column, scope="col") for column in columns))
    body = join(tag("tr", tag("th", row, scope="row"), *map(_cell, cells)) for row, cells in rows.items())
    return tag("div", tag("table", head, body, class_="confusion"), class_="scroll", tabindex="0", role="region",
               aria_label=name)  # fmt: skip


def _cell(heat: Heat | None) -> Markup:
    if heat is None:
        return tag("td", "-")
    share = min(max(heat.share, 0.0), 1.0)
    style = "right full" if share > FULL else "right"
    return tag("td", heat.text, class_=style, style=f"--share:{share:.3f}", data_tip=heat.tip)
