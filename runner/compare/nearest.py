"""Of several groups that match --baseline, the one that a row is compared with: that with most settings in common."""

from __future__ import annotations

from collections.abc import Sequence

from runner.compare.groups import varying_settings
from runner.compare.rows import Row


def same_table(row: Row, bases: Sequence[Row]) -> list[Row]:
    """Return the baselines with a score of the same metric on the same examples."""
    return [base for base in bases if base.examples == row.examples and base.metric == row.metric]


def nearest(row: Row, bases: Sequence[Row]) -> list[Row]:
    """Return the baselines that share the most settings with a row: several if they match equally well.

    A row that is one of them is its own.
    """
    if len(bases) < 2:
        return list(bases)
    keys = varying_settings([row.group, *(base.group for base in bases)])

    def shared_settings(base: Row) -> int:
        return sum(base.group.settings.get(key) == row.group.settings.get(key) for key in keys)

    best = max(shared_settings(base) for base in bases)
    return [base for base in bases if shared_settings(base) == best]
