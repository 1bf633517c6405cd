"""The scores of the majority class and of the n-gram model, as rows beside the models compared.

    for line in baseline_lines(comparison.rows):
        print(line.name, line.score())       # majority-class baseline 0.5000

They are in the records of the runs themselves, so nothing is computed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from runner.compare.rows import Row
from runner.record.baseline import MAJORITY, NGRAM, NGRAM_BYTES, NGRAM_US
from runner.record.run_names import data_name
from runner.record.shown_costs import in_mb, score_text
from runner.tasks import baseline_name


@dataclass(frozen=True)
class BaselineLine:
    """A baseline of the rows that share metric and examples; `size` in bytes and `time` in us where they are known.

    low, high: its score; they differ if the runs were trained on different rows, each with its own baseline.
    """

    name: str
    metric: str
    data: str
    low: float
    high: float
    size: float | None = None
    time: float | None = None

    def score(self) -> str:
        """Return the score as text, or its range."""
        low, high = score_text(self.low), score_text(self.high)
        return low if low == high else f"{low}-{high}"

    def in_mb(self) -> str:
        """Return the size as text; "" if it is unknown."""
        return in_mb(self.size) if self.size else ""

    def in_us(self) -> str:
        """Return the time of an answer as text; "" if it is unknown."""
        return f"{self.time:,.0f}" if self.time else ""


def baseline_lines(rows: Sequence[Row]) -> list[BaselineLine]:
    """Return the baselines of these rows, of each metric and data set once; those of one name say of which data.

    A metric other than the headline's has none. The n-gram model is left out where it is one of the rows.
    """
    tables: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.metric == row.group.runs[0].primary:
            tables.setdefault((row.metric, row.examples), []).append(row)
    found = []
    for members in tables.values():
        found += [line for key in (MAJORITY, NGRAM) if (line := _line(members, key))]
    several = Counter((line.name, line.metric) for line in found)
    return [
        replace(line, name=f"{line.name} of {line.data}") if several[line.name, line.metric] > 1 else line
        for line in found
    ]


def _line(rows: list[Row], key: str) -> BaselineLine | None:
    """Return the line of one baseline; None if no record has it, and for an n-gram model that is a row itself."""
    metrics = [run.metrics for row in rows for run in row.group.runs if key in run.metrics]
    scores = [one[key] for one in metrics]
    if not scores:
        return None
    record = rows[0].group.runs[0].record
    if key == NGRAM:
        sizes, times = ({one[name] for one in metrics if name in one} for name in (NGRAM_BYTES, NGRAM_US))
        if any(row.mean in scores and row.costs.get("cost/bytes_deployed") in sizes for row in rows):
            return None
        extent = max(sizes, default=None), max(times, default=None)
        return BaselineLine("n-gram baseline", rows[0].metric, data_name(record), min(scores), max(scores), *extent)
    return BaselineLine(baseline_name(record.data.task), rows[0].metric, data_name(record), min(scores), max(scores))


def baseline_levels(rows: Sequence[Row]) -> list[tuple[str, float]]:
    """Return the baselines of rows of the same metric and data by name, as charts draw them: the middle of a range."""
    return [(line.name, fmean((line.low, line.high))) for line in baseline_lines(rows)]
