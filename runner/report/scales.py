"""Scales of charts: map a value to 0..1, and choose the round values written at the axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LOG_FROM = 8.0  # values that span more than this factor get a logarithmic axis
PAD = 0.06  # of the span, on both sides
MOST_DIGITS = 8  # of a tick


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic scale; low and high are logarithms to base 10 where it is logarithmic."""

    low: float
    high: float
    is_log: bool = False

    @classmethod
    def over(cls, values: Iterable[float], *, can_be_log: bool = False, pad: float = PAD) -> Scale:
        """Return a scale that holds all values, with some room on both sides; without values, one from 0 to 1."""
        found = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(found), max(found)
        is_log = can_be_log and low > 0 and high > LOG_FROM * low
        if is_log:
            low, high = math.log10(low), math.log10(high)
        room = (high - low) * pad or abs(high) * 0.05 or 0.5
        return cls(low - room, high + room, is_log)

    def at(self, value: float) -> float:
        """Return where a value lies: 0 at the low end, 1 at the high end."""
        found = math.log10(value) if self.is_log else value
        return (found - self.low) / (self.high - self.low)

    def has(self, value: float) -> bool:
        """Return whether a value lies on the scale."""
        return 0 <= self.at(value) <= 1

    def ticks(self, most: int = 7) -> list[float]:
        """Return round values on the scale, about as many as `most`."""
        return _log_ticks(self.low, self.high, most) if self.is_log else _ticks(self.low, self.high, most)


def _ticks(low: float, high: float, most: int) -> list[float]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    span = high - low
    every = math.ceil(span / most)  # powers of ten
    factors = next((steps for steps in ((1, 2, 5), (1, 3)) if len(steps) * span <= most), (1,))
    powers = [power for power in range(math.floor(low), math.ceil(high) + 1) if power % every == 0]
    found = [factor * 10.0**power for power in powers for factor in factors]
    return [value for value in found if low <= math.log10(value) <= high]


def tick_words(ticks: Sequence[float]) -> list[str]:
    """Return the labels of the ticks of one axis, with as many digits as their exact values need."""
    digits = next((few for few in range(3, MOST_DIGITS) if all(_is_exact(tick, few) for tick in ticks)), MOST_DIGITS)
    return [short(tick, digits) for tick in ticks]


def _is_exact(value: float, digits: int) -> bool:
    return math.isclose(float(f"{value:.{digits}g}"), value, rel_tol=1e-9)


def short(value: float, digits: int = 3) -> str:
    """Return a number in few characters: 0.85, 1.2 k, 30 M."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= unit:
            return f"{value / unit:.{digits}g}{name}"
    return f"{value:.{digits}g}" if value else "0"
