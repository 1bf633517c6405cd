"""Published numbers against measured ones: reproduced, not reproduced, or not testable here, and why.

The rule. "Reaches" means as good as published or better, in the metric's own direction, within the claim's tolerance;
a metric without a direction must lie within the tolerance. A ratio of costs above 1, or a difference of costs above 0,
claims at least that much ("15 times the latency of the other"); below, at most that much.

1. `why` is given, or the runs or the metric are missing, or several groups match: not testable here.
2. No end of the measured 95 % interval reaches the published number: not reproduced.
3. A claimed advantage (a difference on the better side of 0, a ratio on the better side of 1) whose interval also
   covers "no difference": not testable here, the runs cannot tell.
4. The measured mean reaches it: reproduced.
5. Only the interval reaches it: reproduced if the interval is narrow, its half-width at most 2 % of the published
   value, or of the measured level for a difference; else not testable here.

The interval is Student's t over seeds (over pairs of seeds for a difference or a ratio), over the examples where there
is one seed, and a point for what does not vary, such as parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.compare import pairs, stats
from runner.compare.select import as_words, matcher
from runner.errors import ConfigError
from runner.metrics import direction

if TYPE_CHECKING:
    from runner.compare.analyse import Row

REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "not reproduced", "not testable here"
WIDE = 0.02


@dataclass(frozen=True)
class Verdict:
    """One claim with what was measured; the interval is None where nothing could be measured."""

    claim: str
    source: str
    metric: str
    kind: str
    published: float
    measured: float | None
    interval: stats.Interval | None
    verdict: str
    why: str


@dataclass(frozen=True)
class Measured:
    """A number with its interval; `level` is the size that "narrow" is measured by."""

    value: float
    interval: stats.Interval
    level: float


def judge(claims: list[dict[str, Any]], rows: list[Row]) -> list[Verdict]:
    """The verdict on each claim of a sweep; ConfigError for a claim that is not one."""
    return [_judge(claim, rows) for claim in claims]


def _judge(claim: dict[str, Any], rows: list[Row]) -> Verdict:
    missing = [key for key in ("claim", "metric", "value") if claim.get(key) is None]
    kind = claim.get("kind") or "value"
    if missing or kind not in ("value", "difference", "ratio"):
        raise ConfigError(
            f"a claim needs {', '.join(missing) or 'kind: value, difference or ratio'}: {claim}. Mend the sweep's YAML"
        )
    text, source, metric, value = (claim.get(key) for key in ("claim", "source", "metric", "value"))
    measured: Measured | str = str(claim["why"]) if claim.get("why") else _measure(claim, kind, rows)
    found = measured if isinstance(measured, Measured) else None
    verdict, why = (NOT_TESTABLE, str(measured)) if found is None else _verdict(
        found, float(claim["value"]), float(claim.get("tolerance") or 0.0), kind, str(metric)
    )  # fmt: skip
    return Verdict(
        str(text), str(source or ""), str(metric), kind, float(value or 0.0), found.value if found else None,
        found.interval if found else None, verdict, why,
    )  # fmt: skip


def _verdict(found: Measured, value: float, tolerance: float, kind: str, metric: str) -> tuple[str, str]:
    """Verdict and reason by the rule of this module."""
    none = {"difference": 0.0, "ratio": 1.0}.get(kind)
    sign = {"higher": 1.0, "lower": -1.0}.get(direction(metric), 0.0)
    if none is not None and value > none and metric.startswith(("cost/", "speed/", "time/")):
        sign = abs(sign)  # "15 times the latency of the other": the claim is on the size of the factor
    low, high, over = found.interval.low, found.interval.high, found.interval.over
    half = (high - low) / 2

    def reaches(number: float) -> bool:
        if sign == 0:
            return abs(number - value) <= tolerance
        return sign * (number - value) >= -tolerance - 1e-12 * abs(value)

    covers = low - tolerance <= value <= high + tolerance
    if not (reaches(low) or reaches(high) or covers):
        return NOT_REPRODUCED, f"the interval ({over}) stays short of it"
    if none is not None and sign * (value - none) > 0 and low <= none <= high:
        return NOT_TESTABLE, f"the interval ({over}) also covers no difference; more seeds would tell"
    if reaches(found.value):
        return REPRODUCED, f"measured as good or better ({over})"
    if half <= WIDE * abs(found.level):
        return REPRODUCED, f"within the interval ({over})"
    return NOT_TESTABLE, f"the interval ({over}) is wide, ± {half:.3g}; more seeds would tell"


def _measure(claim: dict[str, Any], kind: str, rows: list[Row]) -> Measured | str:
    """The measured number of a claim, or why there is none."""
    metric = str(claim["metric"])
    where = _one(claim.get("where") or {}, rows, metric)
    if isinstance(where, str):
        return where
    if kind == "value":
        values = where.group.values(metric)
        mean = float(np.mean(values))
        return Measured(mean, _interval(where, metric, values), float(claim["value"]))
    if not claim.get("versus"):
        return f"a {kind} needs `versus`, the group it is against"
    versus = _one(claim["versus"], rows, metric)
    if isinstance(versus, str):
        return versus
    return _difference(where, versus, metric) if kind == "difference" else _ratio(where, versus, metric)


def _one(wanted: dict[str, Any], rows: list[Row], metric: str) -> Row | str:
    """The one row that has the wanted settings and the metric, or why there is none."""
    words = as_words(wanted)
    settings = [row.group.settings for row in rows]
    try:
        tests = [matcher(word, settings) for word in words]
    except ConfigError:
        return f"no run here knows all of {' '.join(words)}"
    matching = [row for row in rows if all(matches(row.group.settings) for matches in tests)]
    if not matching:
        return f"no finished run here has {' '.join(words)}"
    having = [row for row in matching if row.group.values(metric)]
    if not having:
        return f"{metric} was not measured for {' '.join(words)}"
    if len(having) > 1:
        return f"{len(having)} groups have {' '.join(words)}: {'; '.join(row.group.name for row in having[:3])}"
    return having[0]


def _interval(row: Row, metric: str, values: list[float]) -> stats.Interval:
    if len(values) == 1 and row.metric == metric and row.interval:
        return row.interval
    return stats.seed_interval(values) or stats.Interval(values[0], values[0], "one run, no interval")


def _difference(where: Row, versus: Row, metric: str) -> Measured | str:
    """where - versus over pairs of seeds; over the examples too where the metric is a score of them."""
    level = float(np.mean(versus.group.values(metric)))
    found = pairs.compare(where.group, versus.group, metric)
    if isinstance(found, pairs.Paired):
        over = f"{len(found.seeds)} pairs of seeds, {found.examples} examples"
        return Measured(found.difference, stats.Interval(found.low, found.high, over), level)
    if metric.partition("/")[0] in where.group.runs[0].record["data"].get("rows", {}):
        return found.reason  # a score on other examples, or without predictions, is no difference at all
    differences = [a - b for a, b in _seed_pairs(where, versus, metric)]
    if not differences:
        return found.reason
    tested = stats.paired_seeds(differences)
    mean = float(np.mean(differences))
    return Measured(mean, tested[1] if tested else stats.Interval(mean, mean, "one run a side, no interval"), level)


def _ratio(where: Row, versus: Row, metric: str) -> Measured | str:
    """where / versus, the geometric mean over pairs of seeds."""
    together = _seed_pairs(where, versus, metric)
    if not together:
        return "no seed in common"
    if any(a <= 0 or b <= 0 for a, b in together):
        return f"{metric} is not positive, so there is no ratio"
    logs = [math.log(a / b) for a, b in together]
    tested = stats.paired_seeds(logs)
    ratio = math.exp(float(np.mean(logs)))
    ends = tested[1] if tested else stats.Interval(logs[0], logs[0], "one run a side, no interval")
    return Measured(ratio, stats.Interval(math.exp(ends.low), math.exp(ends.high), ends.over), ratio)


def _seed_pairs(where: Row, versus: Row, metric: str) -> list[tuple[float, float]]:
    first, second = where.group.seeds, versus.group.seeds
    return [
        (float(first[seed].metrics[metric]), float(second[seed].metrics[metric]))
        for seed in first
        if seed in second and metric in first[seed].metrics and metric in second[seed].metrics
    ]
