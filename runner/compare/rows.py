"""A comparison in memory: its rows, one for each group, and everything that tables, plots and pages show of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.compare.groups import Group, varying_settings
from runner.compare.pairs import Paired, Refused
from runner.compare.select import Selection
from runner.compare.verdict import ClaimVerdict
from runner.record.baseline import MARK
from runner.statistics.paired import Interval


@dataclass
class Row:
    """One group in the table."""

    group: Group
    metric: str
    mean: float | None
    sd: float | None
    interval: Interval | None
    costs: dict[str, float]
    is_baseline: bool = False
    paired: Paired | Refused | None = None
    fronts: str = ""
    other_at_baseline: bool | None = None  # is the group that it is tested against at baseline?
    at_baseline: bool | None = None  # by the headline metric, whatever metric is compared; None: not judged

    @property
    def label(self) -> str:
        """The group's name as tables show it, with the mark where it has learned nothing."""
        return f"{self.group.name} ({MARK})" if self.at_baseline else self.group.name

    @property
    def n(self) -> int:
        return len(self.group.values(self.metric))

    @property
    def examples(self) -> str:
        """The fingerprint of the examples behind the metric: rows with the same one belong into one table."""
        return self.group.runs[0].record.data.examples(self.metric.partition("/")[0])

    @property
    def verdict(self) -> str:
        """In words, against the baseline; a test with a side that has learned nothing says so."""
        if self.is_baseline or self.paired is None:
            return "baseline" if self.is_baseline else ""
        words = self.paired.in_words()
        if self.at_baseline:
            return f"{words} ({'both ' if self.other_at_baseline else ''}{MARK})"
        return f"{words} (against a group {MARK})" if self.other_at_baseline else words


@dataclass
class Comparison:
    """Everything that the table, the plots and the report show."""

    rows: list[Row]
    baseline: str | None
    latency: str | None  # the latency metric of the table, None where nothing was timed
    tests: int
    selection: Selection
    notes: list[str] = field(default_factory=list)
    lint: list[str] = field(default_factory=list)
    claims: list[ClaimVerdict] = field(default_factory=list)

    @property
    def groups(self) -> list[Group]:
        return [row.group for row in self.rows]

    @property
    def varying(self) -> list[str]:
        return varying_settings(self.groups)
