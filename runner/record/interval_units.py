"""The number of units that the recorded intervals of a split are over, which are not always its rows."""

from __future__ import annotations

from collections.abc import Mapping

from runner.statistics.rank_scores import QUERIES


def interval_units(metrics: Mapping[str, float], split: str) -> tuple[int, str]:
    """Return the number of units and the word for them: rows, or the queries of a ranking.

    metrics: of a record; one without the number of rows has 0.
    """
    if count := metrics.get(f"{split}/{QUERIES}"):
        return int(count), QUERIES
    return int(metrics.get(f"{split}/examples", 0)), "rows"
