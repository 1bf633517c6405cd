"""The parts of a comparison: Row, one group in the table, and Comparison, everything that tables and pages show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runner.compare.axes import LATENCY, SIZE, TIME
from runner.compare.groups import Group, varying_settings
from runner.compare.pairs import Paired, Refused
from runner.compare.select import Selection
from runner.compare.verdict import ClaimVerdict
from runner.record.baseline import MARK
from runner.record.bounds import BOUND, is_bound
from runner.statistics.paired import Interval


@dataclass(frozen=True)
class Intervals:
    """The 95 % intervals of a mean score by source of chance: the seeds, and the examples."""

    seeds: Interval | None = None  # Student's t; None for a single seed
    examples: Interval | None = None  # None for a metric that is no score of examples
    folds: Interval | None = None  # corrected for training rows that overlap; it spans both sources of chance

    @property
    def both(self) -> Interval | None:
        """The interval that spans both; None if there is neither."""
        if self.folds is not None:
            return self.folds
        if self.seeds is None or self.examples is None:
            alone = self.seeds or self.examples
            is_lone_seed = alone is not None and alone is self.examples
            return replace(alone, over=f"{alone.over}, one seed") if alone and is_lone_seed else alone
        over = f"{self.seeds.over}, and over {self.examples.over}"
        return Interval(min(self.seeds.low, self.examples.low), max(self.seeds.high, self.examples.high), over)


@dataclass
class Row:
    """One group in the table."""

    group: Group
    metric: str
    mean: float | None
    sd: float | None
    intervals: Intervals
    costs: dict[str, float]
    is_baseline: bool = False
    paired: Paired | Refused | None = None
    fronts: str = ""  # letters of the Pareto fronts that the group lies on, see pareto.py
    other_at_baseline: bool | None = None  # whether the group that it is tested against is at baseline
    at_baseline: bool | None = None  # by the headline metric, whatever metric is compared; None: not judged
    unreached: dict[str, int] = field(default_factory=dict)  # by steps to a target: runs that never reached it

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the mean: it spans the chance of the seeds and that of the examples."""
        return self.intervals.both

    @property
    def label(self) -> str:
        """The name of the group in tables, marked where its runs have learned nothing or cannot be deployed."""
        bounds = [BOUND] if any(is_bound(run.record) for run in self.group.runs) else []
        marks = [*([MARK] if self.at_baseline else []), *bounds]
        return f"{self.group.name} ({', '.join(marks)})" if marks else self.group.name

    @property
    def n(self) -> int:
        """The number of seeds, or folds, that have the metric."""
        return len(self.group.values(self.metric))

    @property
    def examples(self) -> str:
        """The fingerprint of the examples behind the metric; rows that share it may be compared."""
        return self.group.examples(self.metric.partition("/")[0])

    @property
    def verdict(self) -> str:
        """The result of the test against the baseline, in words, with a remark if either side has learned nothing."""
        if self.is_baseline or self.paired is None:
            return "baseline" if self.is_baseline else ""
        words = self.paired.in_words()
        if self.at_baseline:
            return f"{words} ({'both ' if self.other_at_baseline else ''}{MARK})"
        return f"{words} (against a group {MARK})" if self.other_at_baseline else words


@dataclass
class Comparison:
    """The rows and notes that the table, the plots and the report show."""

    rows: list[Row]
    baseline: str | None
    latency: str | None  # the latency of the forward pass alone; None if nothing was timed
    tests: int
    selection: Selection
    notes: list[str] = field(default_factory=list)
    lint: list[str] = field(default_factory=list)
    claims: list[ClaimVerdict] = field(default_factory=list)
    size: str | None = None  # the metrics that size and time are ranked by, of all groups; None if there is none
    time: str | None = None
    details: tuple[str, ...] = ()  # further costs and times that were asked for, by metric

    def metric_of(self, cost: str) -> str | None:
        """Return the metric that a key of the rows' costs stands for, which may be its own name."""
        return {SIZE: self.size, TIME: self.time, LATENCY: self.latency}.get(cost, cost)

    @property
    def groups(self) -> list[Group]:
        """The groups, in the order of the rows."""
        return [row.group for row in self.rows]

    @property
    def varying(self) -> list[str]:
        """The settings that differ between groups."""
        return varying_settings(self.groups)
