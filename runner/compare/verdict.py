"""The verdict on a published number from a measured interval. Only numbers: this file reads no records.

    decide_verdict(0.8574, 0.8563, 0.8586, Published(0.865, tolerance=0.005))      # not reproduced

*Bounds.* A number reaches the published value if it is as good or better, less the tolerance. Where lower is better,
everything below is mirrored.

1. The whole interval falls short of the value less the tolerance: not reproduced.
2. The mean reaches it: reproduced.
3. Only the interval reaches it: undecided, the interval is too wide to tell.

*Bounded losses.* A difference of 0 or below, or a ratio of 1 or below, claims that one thing is no worse than another,
or worse by that much at most. A mean close to it is no evidence for that, so this is a test of non-inferiority:
reproduced where the whole interval reaches the value less the tolerance.

*Advantages.* A value on the better side of "no difference" (a difference of 0, a ratio of 1) claims that one thing is
better than another. The tolerance does not apply to that:

1. The whole interval lies on the worse side of "no difference", or on it: not reproduced.
2. The interval covers "no difference": undecided.

*Equality* (`is_equal`, and metrics without a better direction) is an equivalence test: the interval lies within value
+- tolerance: reproduced; it lies outside: not reproduced; else undecided.

So noise never helps a claim: around the same mean a narrower interval only turns "undecided" into one of the other two,
and at the same width a better mean never gets a worse verdict. Equal values of several seeds are an interval without
width, which decides nothing about a score.
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.statistics.paired import Interval

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
UNDECIDED, NOT_TESTABLE = "undecided: too wide", "not testable here"
MORE = "more seeds or examples may decide it"  # either may be what the interval's width is due to
ROUNDING = 1e-12  # relative; 0.52 - 0.05 is not 0.47 in binary


@dataclass(frozen=True)
class Published:
    """A published number.

    sign: 1 if higher is better, -1 if lower is. none: the value that means no difference, for a difference (0) or
    a ratio (1). is_equal: the claim is that a value is met, not that it is reached.
    """

    value: float
    tolerance: float = 0.0
    sign: float = 1.0
    none: float | None = None
    is_equal: bool = False


@dataclass(frozen=True)
class ClaimVerdict:
    """One claim with what was measured; the interval is None if nothing could be measured.

    parts: the conditions of a claim that has several; it has no number of its own then.
    """

    claim: str
    source: str
    metric: str
    kind: str
    published: float
    tolerance: float
    measured: float | None
    interval: Interval | None
    verdict: str
    why: str
    parts: tuple[ClaimVerdict, ...] = ()
    arms: tuple[str, ...] = ()  # the names of the groups that the number comes from
    objections: tuple[str, ...] = ()  # why the claim itself cannot be tested here


def decide_verdict(mean: float, low: float, high: float, published: Published) -> tuple[str, str]:
    """Verdict and reason, from the measured mean and the ends of its 95 % interval."""
    slack = ROUNDING * (abs(published.value) + published.tolerance)
    if published.is_equal:
        return _equal(low, high, published, published.tolerance + slack)
    sign = published.sign
    ends = sorted((sign * low, sign * high))
    least = sign * published.value - published.tolerance - slack
    if ends[1] < least:
        return NOT_REPRODUCED, "the whole interval falls short of it"
    if published.none is not None and sign * published.value > sign * published.none:
        if ends[1] <= sign * published.none:
            return NOT_REPRODUCED, "the whole interval shows no advantage"
        if ends[0] <= sign * published.none:
            return UNDECIDED, f"the interval includes no difference; {MORE}"
    elif published.none is not None and ends[0] < least:
        return UNDECIDED, f"the interval includes a loss beyond the tolerance; {MORE}"
    if sign * mean >= least:
        return REPRODUCED, "as good or better"
    return UNDECIDED, f"the mean falls short of it, the end of the interval does not; {MORE}"


def _equal(low: float, high: float, published: Published, margin: float) -> tuple[str, str]:
    below, above = published.value - margin, published.value + margin
    if below <= low and high <= above:
        return REPRODUCED, "the whole interval lies within the tolerance"
    if high < below or low > above:
        return NOT_REPRODUCED, "the whole interval lies outside the tolerance"
    return UNDECIDED, f"the interval lies partly within the tolerance; {MORE}"


def combined_verdict(verdicts: list[str]) -> str:
    """Return the verdict on a claim with several conditions, which must all hold: the worst one decides."""
    order = (NOT_REPRODUCED, NOT_TESTABLE, UNDECIDED, REPRODUCED)
    return min(verdicts, key=order.index)
