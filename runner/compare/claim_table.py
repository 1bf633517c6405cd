"""Published claims as text: the cells of Markdown and the page, and the table of a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runner.compare.verdict import ClaimVerdict
from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.table import Table

CLAIM_TITLES = ["claim", "published", "measured", "verdict", "why"]


def claim_cells(verdict: ClaimVerdict) -> list[str]:
    """Claim, published value, measured value with interval, verdict and reason; several conditions are joined."""
    parts = verdict.parts or (verdict,)
    shown = [(part, _measured(part)) for part in parts]
    several = len(parts) > 1  # then each number has its name
    measured = "; ".join(f"{part.metric} {text}" if several else text for part, text in shown if text)
    return [verdict.claim, "; ".join(map(_published, parts)), measured, verdict.verdict, verdict.why]


def _published(verdict: ClaimVerdict) -> str:
    within = f" within {_number(verdict.tolerance)}" if verdict.tolerance else ""
    return f"{verdict.metric} {verdict.kind} {_number(verdict.published, verdict.tolerance)}{within}"


def _measured(verdict: ClaimVerdict) -> str:
    tolerance = verdict.tolerance
    measured = "" if verdict.measured is None else _number(verdict.measured, tolerance)
    if verdict.interval and verdict.interval.high > verdict.interval.low:
        measured += f" ({_number(verdict.interval.low, tolerance)} to {_number(verdict.interval.high, tolerance)})"
    return measured


def _number(value: float, tolerance: float = 0.0) -> str:
    """Return a number with four digits, or with as many as show a difference of a tolerance: 1.0001, not 1."""
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    decimals = math.ceil(-math.log10(tolerance)) if tolerance else 0
    digits = decimals + math.floor(math.log10(abs(value))) + 1 if value else 0
    return f"{value:,.{max(4, digits)}g}"


def claims_table(claims: list[ClaimVerdict]) -> Table:
    """Return the claims in two columns for a terminal, so that a narrow one cuts no name and no number."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title="published against measured", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim, and what was measured")
    for claim in claims:
        lines = [claim.claim]
        for part in claim.parts or (claim,):
            measured = _measured(part)
            lines.append(f"{_published(part)}: {f'measured {measured}, ' if measured else ''}{part.why}")
        table.add_row(escape(claim.verdict), escape("\n  ".join(lines)))
        table.add_section()
    return table
