"""Numbers of things in sentences: 1 row, 2,000 rows. Standard library only."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, and with its verb where it has one: counted(n, "row has", "rows have").

    many: for every number but 1; by default `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
