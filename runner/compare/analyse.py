"""Turns selected runs into one comparison: a row for each group, tests against the baseline, Pareto fronts, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data.json_types import Json
from runner.compare import pairs
from runner.compare.axes import LATENCY, SIZE, TIME, latency_metric, size_metric, time_metric
from runner.compare.folds import OF_FOLD, advice, note_over_all
from runner.compare.group_intervals import group_intervals
from runner.compare.group_pairs import compare_groups
from runner.compare.groups import Group, explain_separate_groups, make_groups
from runner.compare.lint import cost_warnings
from runner.compare.nearest import nearest, same_table
from runner.compare.pairs import Paired, Refused
from runner.compare.pareto import AXES, pareto_front
from runner.compare.rows import Comparison, Row
from runner.compare.select import Selection, setting_matcher, setting_words
from runner.compare.steps_to_target import add_steps_to_target
from runner.config.keys import closest
from runner.errors import ConfigError
from runner.record.baseline import is_at_baseline
from runner.record.metrics import check, direction
from runner.statistics import paired as stats


def analyse(
    selection: Selection,
    *,
    baseline: str | Mapping[str, Json] | None = None,
    metric: str | None = None,
    forgiving: bool = False,
    any_threshold: bool = False,
) -> Comparison:
    """Compare the selected runs; raise ConfigError for a metric or a baseline that does not exist among them.

    baseline: the group that the others are tested against, as key=value (several with commas or spaces) or a mapping.
    metric: the score to compare; None for the headline metric of each dataset.
    any_threshold: also test answers whose thresholds were chosen in different ways.
    forgiving: note a missing baseline instead of raising, as at the end of a sweep whose baseline failed.
    """
    groups = make_groups(selection.runs)
    if metric:
        _check_metric(metric, groups)
    timed = [group.runs[0].metrics for group in groups]
    latency, size, time = latency_metric(timed), size_metric(timed), time_metric(timed)
    rows = [_row(group, metric or group.headline, {LATENCY: latency, SIZE: size, TIME: time}) for group in groups]
    rows.sort(key=_order)
    notes = [*selection.notes, *explain_separate_groups(groups)]
    folded = [group for group in groups if group.is_folded]
    notes += dict.fromkeys(line for group in folded for line in advice(group.runs))
    over_all = [note_over_all(group.name, group.runs, metric or group.headline) for group in folded]
    notes += [note for note in over_all if note]
    words = [] if baseline is None else setting_words(baseline, [row.group.settings for row in rows])
    name, tests = " ".join(words), 0
    try:
        tests = _test(rows, words, any_threshold=any_threshold) if words else 0
    except ConfigError as error:
        if not forgiving:
            raise
        notes.append(f"no tests: {error}")
        name = ""
    notes += add_steps_to_target(rows)
    _mark_fronts(rows)
    if selection.cache:
        selection.cache.write()
    comparison = Comparison(rows, name or None, latency, tests, selection, notes, size=size, time=time)
    comparison.lint = cost_warnings(comparison)
    return comparison


def _check_metric(metric: str, groups: list[Group]) -> None:
    if any(group.values(metric) for group in groups):
        check(metric)
        return
    there = sorted({name for name in groups[0].runs[0].metrics if direction(name) != "none"})
    close = closest(metric, there) or there[:1]
    raise ConfigError(
        f"--metric {metric}: no selected run has it. They have: {', '.join(there)}. Try: --metric {close[0]}"
    )


def _row(group: Group, metric: str, ranked: Mapping[str, str | None]) -> Row:
    """Return the row of a group; ranked: further keys of its costs, and the metrics they stand for."""
    names = {name for run in group.runs for name in run.metrics if name.startswith(("cost/", "speed/", "time/"))}
    costs = {name: mean for name in sorted(names) if (mean := group.mean(name)) is not None}
    costs |= {key: costs[name] for key, name in ranked.items() if name in costs}
    values, intervals = group.values(metric), group_intervals(group, metric)
    is_low = is_at_baseline([run.metrics for run in group.members], group.runs[0].primary)
    return Row(
        group, metric, group.mean(metric), stats.standard_deviation(values), intervals, costs, at_baseline=is_low
    )


def _order(row: Row) -> tuple[str, str, str, float]:
    """Sort by dataset, then best first."""
    value = row.mean if row.mean is not None else float("nan")
    sign = -1 if direction(row.metric) == "higher" else 1
    worst = value if value == value else float("inf") * sign
    return str(row.group.settings.get("data.name")), row.metric, row.examples, sign * worst


def _test(rows: list[Row], words: Sequence[str], *, any_threshold: bool) -> int:
    """Test each group against its baseline and correct for the number of tests, which is returned.

    words: key=value, which name the baseline.
    """
    known, baseline = [row.group.settings for row in rows], " ".join(words)
    for word in words:
        if "=" not in word:
            example = f'--baseline "{rows[0].group.name}"'
            raise ConfigError(f"--baseline {baseline}: name a group by key=value. Try: {example}")
        key = word.partition("=")[0]
        if key in ("seed", *OF_FOLD) and not any(key in settings for settings in known):
            raise ConfigError(f"--baseline {baseline}: a group has all seeds and folds. Leave out {word}")
    tests = [setting_matcher(word, known, "compare --baseline") for word in words]
    bases = [row for row in rows if all(matches(row.group.settings) for matches in tests)]
    if not bases:
        names = "; ".join(row.group.name for row in rows[:6])
        raise ConfigError(f"--baseline {baseline}: no group matches. Groups: {names}")
    for row in bases:
        row.is_baseline = True
    for row in rows:
        if not row.is_baseline:
            row.paired, row.other_at_baseline = _against(row, bases, any_threshold=any_threshold)
    return pairs.correct_for_all_tests(row.paired for row in rows)


def _against(row: Row, bases: list[Row], *, any_threshold: bool) -> tuple[Paired | Refused, bool | None]:
    """Test a row against the most similar baseline on the same data; also return whether that one is at baseline."""
    there = nearest(row, same_table(row, bases))
    if not there:
        return Refused(f"the baseline was scored on different examples (not on data {row.examples[:8]})"), None
    if len(there) > 1:
        names = "; ".join(base.group.name for base in there[:3])
        return Refused(f"{len(there)} baselines match equally well ({names}); add keys to --baseline"), None
    found = compare_groups(row.group, there[0].group, row.metric, any_threshold=any_threshold)
    return found, there[0].at_baseline


def _mark_fronts(rows: list[Row]) -> None:
    """Note on each row the letters of the Pareto fronts it lies on, among rows of the same data and metric.

    Rows at baseline are on no front: otherwise the smallest model that gives every example the same answer would be on
    all.
    """
    tables: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        tables.setdefault((row.metric, row.examples), []).append(row)
    for (metric, _), members in tables.items():
        sign = -1 if direction(metric) == "lower" else 1
        for letter, (cost, _) in AXES.items():
            there = [row for row in members if row.mean is not None and cost in row.costs and not row.at_baseline]
            for index in pareto_front([(sign * float(row.mean or 0.0), row.costs[cost]) for row in there]):
                there[index].fronts += letter
