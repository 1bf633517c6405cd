"""Compares published numbers with measured ones: reproduced, not reproduced, undecided or not testable here, and why.

A claim of a sweep's YAML names the runs (`where`, `versus`), the metric, the published `value` and a `tolerance`.
runner/compare/verdict.py has the rule. The kinds:

    value       the metric of one group
    difference  where - versus, over pairs of seeds
    ratio       where / versus, over pairs of seeds
    equal       a value, or with `versus` a difference, that must lie within the tolerance on both sides

Which direction is better follows from the metric, or from the claim's `direction: higher|lower`. A ratio of costs above
1, or a difference of costs above 0, claims at least that much ("15 times the latency of the other"); below, at most
that much. A claim with several conditions, such as "as good, and smaller", lists them:
`all: [{metric: ..., kind: ..., where: ..., value: ...}, ...]`; each is judged, and all must be reproduced.

`objections` lists what a critic could still object; the ledger (runner/compare/ledger.py) shows it.

Not testable here: the claim gives a `why`, the runs or the metric are missing or not finite, several groups match,
`where` and `versus` name the same one, times of two machines would be compared, or a score that would reproduce the
claim, or that of its control, is at baseline (runner/record/baseline.py) and so is no result. Nor do two such scores
refute a difference. Steps to a target that some runs never reached decide nothing that longer runs could overturn.

The interval of a score, and of a difference or a ratio of scores over pairs of seeds, spans two: Student's t over the
seeds, and that over the examples. Other metrics have Student's t over the seeds, those that are 0 or 1 Wilson's over
the runs; costs and speeds of one run, and bits per weight, are a point. Other metrics of one run that have no interval
over examples, such as those of probes, are undecided. A single seed, or fold, reproduces no score, even if its examples
do: the interval leaves out what another would change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from data.counted import counted
from data.json_types import JsonObject
from runner.compare.claim_format import SIGNS, claim_numbers, claim_objections, conditions_of
from runner.compare.folds import fold_interval, held_out_split
from runner.compare.group_intervals import group_intervals
from runner.compare.group_pairs import FoldPaired, compare_groups
from runner.compare.pairs import Paired, Refused, ratio_over_examples, spanning
from runner.compare.rows import Row
from runner.compare.select import Run, setting_matcher, setting_words
from runner.compare.steps_to_target import NEARLY, STEPS, overturning
from runner.compare.verdict import (
    MORE,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    REPRODUCED,
    UNDECIDED,
    ClaimVerdict,
    Published,
    combined_verdict,
    decide_verdict,
)
from runner.errors import ConfigError
from runner.record.baseline import MARK
from runner.record.metrics import check, direction
from runner.statistics import paired as stats
from runner.statistics.intervals import wilson_interval

NONE = {"difference": 0.0, "ratio": 1.0}  # the value that means no difference
ONE_RUN, ONE_RUN_A_SIDE = "one run, no interval", "one run a side, no interval"
CLOCK = ("us", "ms", "s", "texts/s", "examples/s")  # units of what depends on the machine
POINTS = ("cost/", "speed/", "quantize/bits_per_weight")  # metrics that a point decides: most are the same in every run


@dataclass(frozen=True)
class Measured:
    """A number with its interval, and the rows it comes from: `where`, then `versus`.

    repeats: how many runs, pairs of runs or folds it is the mean of.
    """

    value: float
    interval: stats.Interval
    rows: tuple[Row, ...]
    repeats: int


def judge_claims(claims: list[JsonObject], rows: list[Row]) -> list[ClaimVerdict]:
    """Return the verdict on each claim of a sweep; raise ConfigError for a malformed claim.

    Without rows nothing is tested: so a sweep checks its claims before it starts.
    """
    if wrong := [claim for claim in claims if not isinstance(claim, dict)]:
        raise ConfigError(f"a claim is a mapping with claim, metric and value: {wrong[0]}. Fix the sweep's YAML")
    return [_judge(claim, rows) for claim in claims]


def _judge(claim: JsonObject, rows: list[Row]) -> ClaimVerdict:
    parts = tuple(_judge_one(condition, rows) for condition in conditions_of(claim))
    if claim.get("all") is None:
        return parts[0]
    why = "; ".join(dict.fromkeys(part.why if claim.get("why") else f"{part.metric}: {part.why}" for part in parts))
    verdict = combined_verdict([part.verdict for part in parts])
    return ClaimVerdict(
        parts[0].claim, parts[0].source, "", "all", math.nan, 0.0, None, None, verdict, why, parts,
        objections=claim_objections(claim),
    )  # fmt: skip


def _judge_one(claim: JsonObject, rows: list[Row]) -> ClaimVerdict:
    value, tolerance, relation = claim_numbers(claim)
    metric = str(claim["metric"])
    measured: Measured | str = str(claim["why"]) if claim.get("why") else _measure(claim, relation, rows)
    found = measured if isinstance(measured, Measured) else None
    verdict, why = (NOT_TESTABLE, str(measured)) if found is None else _decide(
        found, _published(claim, relation, value, tolerance), metric
    )  # fmt: skip
    return ClaimVerdict(
        str(claim["claim"]), str(claim.get("source") or ""), metric, relation, value, tolerance,
        found.value if found else None, found.interval if found else None, verdict, why,
        arms=tuple(row.group.name for row in found.rows) if found else (), objections=claim_objections(claim),
    )  # fmt: skip


def _published(claim: JsonObject, relation: str, value: float, tolerance: float) -> Published:
    """Return the published number in the form that the rule takes."""
    metric, none = str(claim["metric"]), NONE.get(relation)
    sign = SIGNS.get(claim.get("direction") or direction(metric))
    is_cost = metric.startswith(("cost/", "speed/", "time/"))
    if not claim.get("direction") and sign and none is not None and value > none and is_cost:
        sign = 1.0  # "15 times the latency of the other" claims a factor of at least 15
    return Published(value, tolerance, sign or 1.0, none, is_equal=relation == "equal" or sign is None)


def _decide(found: Measured, published: Published, metric: str) -> tuple[str, str]:
    """Verdict and reason by the rule; a score at baseline reproduces nothing."""
    verdict, why = decide_verdict(found.value, found.interval.low, found.interval.high, published)
    is_folded, over = found.rows[0].group.is_folded, f" ({found.interval.over})"
    if is_folded:
        why = why.replace(MORE, "more rows, or repeats of the folds, may decide it")
    if found.interval.low == found.interval.high and not metric.startswith(POINTS):
        alone = found.interval.over in (ONE_RUN, ONE_RUN_A_SIDE)
        why = "one run decides nothing" if alone else "runs without any scatter decide nothing"
        return UNDECIDED, f"it varies with the {'fold' if is_folded else 'seed'}, so {why}{over}"
    splits = found.rows[0].group.runs[0].record.data.rows
    is_score = metric.partition("/")[0] in splits or metric in (STEPS, NEARLY)
    low = [row for row in found.rows if row.at_baseline]
    names = " and ".join(row.group.name for row in low) + (" is " if len(low) == 1 else " are ") + MARK
    if verdict == REPRODUCED and is_score and low:
        useless = "its score is no result" if found.rows[0].at_baseline else "whatever has learned is as good"
        return NOT_TESTABLE, f"{names}, so {useless}{over}"
    if verdict == NOT_REPRODUCED and is_score and len(low) == len(found.rows) > 1:
        return NOT_TESTABLE, f"{names}, so nothing was learned that could differ{over}"
    if verdict == REPRODUCED and found.repeats == 1 and not metric.startswith(POINTS):
        verdict, why = UNDECIDED, f"{why} with one {'fold' if is_folded else 'seed'}, but others may differ"
    if bounds := " and ".join(row.group.name for row in overturning(found.rows, metric, verdict, published)):
        verdict, why = UNDECIDED, f"{why}, but not all runs of {bounds} reached the target, so longer ones may differ"
    return verdict, f"{why}{over}; {names}" if low and is_score else why + over


def _measure(claim: JsonObject, relation: str, rows: list[Row]) -> Measured | str:
    """Return the measured number of a claim, or why there is none."""
    metric = str(claim["metric"])
    where = _one(claim.get("where") or {}, rows, metric)
    if isinstance(where, str):
        return where
    if relation == "value" or (relation == "equal" and not claim.get("versus")):
        if where.group.is_folded and _is_of_rows_that_no_fold_held_out(where, metric):
            return f"{metric} is of rows that the models of all folds answered, so folds are not repeats of it"
        values = where.group.values(metric)
        return Measured(float(np.mean(values)), _interval(where, metric, values), (where,), len(values))
    if not claim.get("versus"):
        return f"a {relation} needs `versus`, the group to compare with"
    versus = _one(claim["versus"], rows, metric)
    if isinstance(versus, str):
        return versus
    if versus is where:
        return f"`where` and `versus` name the same group, {where.group.name}"
    return _ratio(where, versus, metric) if relation == "ratio" else _difference(where, versus, metric)


def _one(wanted: str | JsonObject, rows: list[Row], metric: str) -> Row | str:
    """Return the one row that has the wanted settings and the metric, or why there is none."""
    settings = [row.group.settings for row in rows]
    words = setting_words(wanted, settings)
    try:
        tests = [setting_matcher(word, settings) for word in words]
    except ConfigError:
        return f"no run here has all the settings {' '.join(words)}"
    matching = [row for row in rows if all(matches(row.group.settings) for matches in tests)]
    if not matching:
        return f"no finished run here has {' '.join(words)}"
    having = [row for row in matching if row.group.values(metric)]
    if not having:
        return f"{metric} was not measured for {' '.join(words)}"
    if len(having) > 1:
        return f"{len(having)} groups have {' '.join(words)}: {'; '.join(row.group.name for row in having[:3])}"
    if not np.all(np.isfinite(having[0].group.values(metric))):
        return f"{metric} is infinite or not a number in some runs of {having[0].group.name}"
    return having[0]


def _interval(row: Row, metric: str, values: list[float]) -> stats.Interval:
    if check(metric).unit == "0 or 1":
        return stats.Interval(
            *wilson_interval(float(np.mean(values)), len(values)), f"Wilson's, {counted(len(values), 'run')}"
        )
    found = row.interval if row.metric == metric else group_intervals(row.group, metric).both
    if found is None and row.group.is_folded:  # a metric other than the score of the rows held out
        found = fold_interval(values, row.group.runs)
    alone = ONE_RUN if len(values) == 1 else f"the same in {counted(len(values), 'fold')}"
    return found or stats.Interval(values[0], values[0], alone)


def _is_of_rows_that_no_fold_held_out(row: Row, metric: str) -> bool:
    """Is this metric of a folded group one of its training or reported rows?

    The interval over folds would leave out the chance in the choice of these rows, nearly the same in all folds.
    """
    split, run = metric.partition("/")[0], row.group.runs[0]
    return split in run.record.data.rows and split != held_out_split(run)


def _difference(where: Row, versus: Row, metric: str) -> Measured | str:
    """The difference where - versus over pairs of seeds, and over the examples where the metric is a score of them."""
    found = compare_groups(where.group, versus.group, metric)
    if isinstance(found, Paired):
        repeats = found.folds if isinstance(found, FoldPaired) else len(found.seeds)
        pairs = counted(repeats, "fold") if isinstance(found, FoldPaired) else f"{counted(repeats, 'pair')} of seeds"
        interval = stats.Interval(found.low, found.high, f"{pairs}, {found.examples} {found.units}")
        return Measured(found.difference, interval, (where, versus), repeats)
    if metric.partition("/")[0] in where.group.runs[0].record.data.rows:
        return found.reason  # scores on other examples, or without predictions, have no meaningful difference
    runs = _seed_pairs(where, versus, metric)
    if why := _timed_apart(runs, metric):
        return why
    differences = [a - b for a, b in _values(runs, metric)]
    if not differences:
        return found.reason
    tested = stats.paired_seeds(differences)
    mean = float(np.mean(differences))
    interval = tested[1] if tested else stats.Interval(mean, mean, _without_scatter(differences))
    return Measured(mean, interval, (where, versus), len(differences))


def _ratio(where: Row, versus: Row, metric: str) -> Measured | str:
    """Return the ratio where / versus, as the geometric mean over pairs of seeds, and over the examples of a score."""
    runs = _seed_pairs(where, versus, metric)
    paired = _values(runs, metric)
    if not paired:
        is_folded = where.group.is_folded or versus.group.is_folded
        return "there are no ratios over folds" if is_folded else "no seed in common"
    if why := _timed_apart(runs, metric):
        return why
    if any(a <= 0 or b <= 0 for a, b in paired):
        return f"{metric} is not positive, so there is no ratio"
    logs = [math.log(a / b) for a, b in paired]
    tested = stats.paired_seeds(logs)
    ends = tested[1] if tested else stats.Interval(logs[0], logs[0], _without_scatter(logs))
    interval = stats.Interval(math.exp(ends.low), math.exp(ends.high), ends.over)
    if metric.partition("/")[0] in where.group.runs[0].record.data.rows:
        examples = ratio_over_examples(runs, metric)
        if isinstance(examples, Refused):
            return examples.reason
        over = f"{counted(len(runs), 'pair')} of seeds, {examples.over}"
        interval = replace(spanning(interval, examples), over=over)
    return Measured(math.exp(float(np.mean(logs))), interval, (where, versus), len(logs))


def _without_scatter(differences: list[float]) -> str:
    """Return what an interval without width is of."""
    return ONE_RUN_A_SIDE if len(differences) == 1 else f"the same in {len(differences)} pairs of seeds"


def _seed_pairs(where: Row, versus: Row, metric: str) -> list[tuple[Run, Run]]:
    """Return the runs of both groups that have the same seed and the metric."""
    if where.group.is_folded or versus.group.is_folded:
        return []  # folds are no pairs of seeds: their training rows overlap
    first, second = where.group.seeds, versus.group.seeds
    return [
        (first[seed], second[seed])
        for seed in first
        if seed in second and metric in first[seed].metrics and metric in second[seed].metrics
    ]


def _timed_apart(runs: list[tuple[Run, Run]], metric: str) -> str | None:
    """Return why times of these pairs cannot be compared: two of a pair are of different machines; None if none are."""
    if check(metric).unit not in CLOCK:
        return None
    for pair in runs:
        first, second = (run.record.environment.processor for run in pair)
        if first != second:
            return f"{metric} was measured on different machines ({first}; {second}), so it compares no models"
    return None


def _values(runs: list[tuple[Run, Run]], metric: str) -> list[tuple[float, float]]:
    """Return the metric of each pair of runs."""
    return [(float(first.metrics[metric]), float(second.metrics[metric])) for first, second in runs]
