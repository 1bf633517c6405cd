"""Numbers as tables show them: scores, and the default size and time of a run.

The size is all bytes that an answer needs, the time is from string to label.
Records made before both were measured have neither. Tables then show the closest number that such a record has, marked:
only the weights, and only the forward pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import NamedTuple

SIZES = ("cost/bytes_deployed", "cost/bytes_file", "cost/bytes_packed")  # the nearest first
ANSWER = "speed/answer_us_p50"
FORWARD = "speed/latency_ms_p50_b1_s"  # the beginning of the name; the shortest texts of a run come first
STAR = "*"
STAR_OF_SIZE = f"{STAR} after MB: only the weights, without vocabulary and config; the record has no more."
STAR_OF_TIME = f"{STAR} after us: only the forward pass, without tokenising; the record has no more."


def in_mb(count: float) -> str:
    """Return a number of bytes in MB, with two places, or four where two would show 0."""
    return f"{count / 1e6:,.{2 if count >= 5_000 or count == 0 else 4}f}"


def score_text(value: float, places: int = 4) -> str:
    """Return a score with four decimals, or with four digits from 100 on, such as a perplexity."""
    return (
        f"{value:,.{max(0, places + 2 - len(str(int(abs(value)))))}f}"
        if 100 <= abs(value) < inf
        else f"{value:.{places}f}"
    )


class Shown(NamedTuple):
    """A cost, and whether it is only the nearest number that the record has."""

    value: float
    is_nearest: bool

    def text(self, form: str, unit: float = 1.0) -> str:
        """Return the cost in its unit, with a star where it is only the nearest."""
        return format(self.value / unit, form) + STAR * self.is_nearest

    def in_mb(self) -> str:
        """Return a size in MB, with a star where it is only the nearest."""
        return in_mb(self.value) + STAR * self.is_nearest


def size_of(metrics: Mapping[str, float]) -> Shown | None:
    """Return the bytes of a model; None if none were counted."""
    name = next((name for name in SIZES if name in metrics), None)
    return Shown(metrics[name], name != SIZES[0]) if name else None


def answer_of(metrics: Mapping[str, float], forward: str | None = None) -> Shown | None:
    """Return the microseconds of an answer; None if nothing was timed.

    forward: the metric of a forward pass to fall back on, by default that of one text at the first length timed.
    """
    if ANSWER in metrics:
        return Shown(metrics[ANSWER], False)
    name = forward or next((name for name in metrics if name.startswith(FORWARD)), "")
    return Shown(1e3 * metrics[name], True) if name in metrics else None
