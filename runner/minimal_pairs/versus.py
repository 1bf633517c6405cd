"""Compares two models on the same pairs, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from runner.errors import ConfigError
from runner.minimal_pairs.results import Line, Result
from runner.statistics.pair_scores import Difference, macro_difference
from runner.statistics.paired import holm_p_values


@dataclass(frozen=True)
class VersusLine:
    """A group of pairs, or all."""

    name: str
    pairs: int
    first: float  # accuracy
    second: float
    difference: Difference  # second - first
    p: float  # of a group adjusted by Holm over the groups; of all pairs as it is


@dataclass(frozen=True)
class Versus:
    """Two models side by side."""

    first: str
    second: str
    lines: list[VersusLine]  # the groups, then all


def versus(first: Result, second: Result, lines: Sequence[Line]) -> Versus:
    """Compare two models; lines: the groups to show, of the first one's report.

    Raises ConfigError if they are not of the same pairs.
    """
    (one, table), (other, others) = first, second
    rows, theirs = table.numbers["row"], others.numbers["row"]
    if not np.array_equal(table.paradigm, others.paradigm) or not np.array_equal(rows, theirs):
        raise ConfigError(
            f"{one.model} and {other.model} were asked about different pairs, so they cannot be compared. Try: the "
            "same command with repeat=true"
        )
    before, after = table.by_paradigm("outcome"), others.by_paradigm("outcome")
    found = [_line(line.name, {k: before[k] for k in line.members}, after) for line in lines]
    adjusted = holm_p_values([line.difference.p for line in found])
    groups = [replace(line, p=p) for line, p in zip(found, adjusted)]
    return Versus(one.model, other.model, [*groups, _line("all", before, after)])


def _line(name: str, before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> VersusLine:
    difference = macro_difference({k: after[k] for k in before}, before)
    first, second = (float(np.mean([side[k].mean() for k in before])) for side in (before, after))
    return VersusLine(name, sum(map(len, before.values())), first, second, difference, difference.p)
