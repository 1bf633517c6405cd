"""The columns of a comparison: of the scores and costs of each group, and of its test against the baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from runner.compare.baselines import BaselineLine
from runner.compare.folds import text_of
from runner.compare.group_pairs import FoldPaired
from runner.compare.pairs import Paired
from runner.compare.rows import Comparison, Row
from runner.compare.steps_to_target import STEPS
from runner.record.shown_costs import STAR, Shown, answer_of, in_mb, score_text, size_of


@dataclass(frozen=True)
class Column:
    """One column: its title, the value for a row (None for an empty cell) and the format of the value.

    about: for the title of a table that is split to fit. of_baseline: the cell for a baseline that is not a group.
    """

    title: str
    numeric: bool
    value: Callable[[Row], Any]
    form: Callable[[Any], str] = str
    mark: Callable[[Row], str] = lambda _: ""  # appended to the value
    about: str = ""
    of_baseline: Callable[[BaselineLine], str] = lambda _: ""

    def cell(self, row: Row) -> str:
        """Return the text of a row's cell; "" if there is no value."""
        value = self.value(row)
        return "" if value is None else self.form(value) + self.mark(row)


def comparison_columns(comparison: Comparison) -> list[Column]:
    """Return the columns for score, size and speed; those that are empty in every row are left out."""
    metrics = {row.metric for row in comparison.rows}
    score = metrics.pop() if len(metrics) == 1 else "score"
    found = [
        Column("group", False, lambda row: row.label, of_baseline=lambda line: line.name),
        Column(
            "metric", False, lambda row: row.metric if score == "score" else None, of_baseline=lambda line: line.metric
        ),
        *(replace(column, about="scores") for column in _score_columns(comparison, score)),
        *(replace(column, about="sizes") for column in _size_columns(comparison)),
        *(replace(column, about="times") for column in _time_columns(comparison)),
        *map(_detail, comparison.details),
        Column("gravity", True, lambda row: row.group.mean("mix/center"), "{:.2f}".format),
        Column("Pareto", False, lambda row: row.fronts or None),
    ]
    return [column for column in found if any(column.cell(row) for row in comparison.rows)]


def _score_columns(comparison: Comparison, score: str) -> list[Column]:
    return [
        Column(score, True, lambda row: row.mean, score_text, of_baseline=BaselineLine.score),
        Column("± sd", True, lambda row: row.sd, score_text),
        Column(
            "95 %", True, lambda row: row.interval, lambda found: f"{score_text(found.low)}-{score_text(found.high)}"
        ),
        *(_chance_columns() if any(has_both_chances(row) for row in comparison.rows) else ()),
        Column("folds", True, _folds),
        Column("seeds", True, lambda row: len(row.group.seeds) if row.group.is_folded else row.n),
    ]


def _size_columns(comparison: Comparison) -> list[Column]:
    return [
        *(_trained_columns() if any(map(_is_partly_trained, comparison.rows)) else ()),
        Column("parameters", True, _cost("cost/params"), "{:,.0f}".format),
        Column("non-zero", True, _nonzero, "{:.0%}".format),
        replace(_shown("deployed MB", size_of, 1.0, in_mb), of_baseline=BaselineLine.in_mb),
        Column("MACs", True, _cost("cost/macs"), short_number),
    ]


def _time_columns(comparison: Comparison) -> list[Column]:
    eager = comparison.latency or ""
    answer = _shown("answer us", partial(answer_of, forward=comparison.latency), 1.0, "{:,.0f}".format)
    return [
        replace(answer, of_baseline=BaselineLine.in_us),
        Column("ONNX ms", True, _cost(eager.replace("latency_ms", "onnx_ms")), "{:,.3f}".format),
        Column("ONNX int8 ms", True, _cost(eager.replace("latency_ms", "onnx_int8_ms")), "{:,.3f}".format),
        Column("train s", True, _cost("time/train_s"), "{:,.1f}".format),
        Column("steps to target", True, _cost(STEPS), "{:,.0f}".format),
    ]


def columns_of_tests(rows: Sequence[Row] = ()) -> list[Column]:
    """Return the columns for the test of each group against the baseline; rows: of the table, which may have folds."""
    is_folded = any(isinstance(row.paired, FoldPaired) for row in rows)
    of_folds = [
        Column("these models", False, _over_folds(lambda found: found.models_in_words())),
        Column("folds", True, _over_folds(lambda found: found.folds)),
        Column("p folds", True, _over_folds(lambda found: found.p_folds), p_value_text),
    ]
    found = [
        Column("group", False, lambda row: row.label),
        Column("verdict", False, lambda row: row.verdict or None),
        Column("difference", True, _tested(lambda found: found.difference), "{:+.4f}".format),
        Column("95 %", True, _tested(lambda found: found), lambda found: f"{found.low:+.4f} to {found.high:+.4f}"),
        Column("pairs", True, _tested(lambda found: None if isinstance(found, FoldPaired) else len(found.seeds))),
        Column("p examples", True, _tested(lambda found: found.p_examples), p_value_text),
        Column("p seeds", True, _tested(lambda found: found.p_seeds), p_value_text),
        Column("p Holm", True, _tested(lambda found: found.p_holm), p_value_text),
    ]
    if not is_folded:
        return found
    found = [*found[:2], of_folds[0], *found[2:5], *of_folds[1:], *found[5:]]
    return [column for column in found if any(column.cell(row) for row in rows)]


def p_value_text(p: float) -> str:
    """Return a p-value with two digits; below 0.0001 only the bound."""
    return "<0.0001" if p < 0.0001 else f"{p:.2g}"


def short_number(value: float) -> str:
    """Return a number with two decimals and a unit prefix: 4.47 M; below a thousand without: 512."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.2f}{name}"
    return f"{value:.0f}"


def _cost(name: str, unit: float = 1.0) -> Callable[[Row], float | None]:
    return lambda row: row.costs[name] / unit if name in row.costs else None


def _shown(
    title: str, find: Callable[[dict[str, float]], Shown | None], unit: float, form: Callable[[float], str]
) -> Column:
    """Return the column of a size or a time, marked where a record has only the nearest number to it."""

    def value(row: Row) -> float | None:
        found = find(row.costs)
        return found.value / unit if found else None

    def mark(row: Row) -> str:
        found = find(row.costs)
        return STAR if found and found.is_nearest else ""

    return Column(title, True, value, form, mark)


def _detail(metric: str) -> Column:
    """Return the column of a cost or a time that was asked for by its metric; bytes are shown in MB."""
    if metric.startswith("cost/bytes_"):
        title = metric.removeprefix("cost/bytes_").replace("_", " ")
        return Column(f"{title} MB", True, _cost(metric), in_mb)
    return Column(metric, True, _cost(metric), "{:,.4g}".format)


def _folds(row: Row) -> str | None:
    """Return how many repeats of how many folds a group has; None of runs without folds."""
    return text_of(row.group.settings, row.group.runs) if row.group.is_folded else None


def has_both_chances(row: Row) -> bool:
    """Return whether a row's interval is known over its seeds and over its examples."""
    return row.intervals.seeds is not None and row.intervals.examples is not None


def _chance_columns() -> list[Column]:
    """Half of the interval by each kind of chance."""
    return [
        Column("± seeds", True, lambda row: row.intervals.seeds and row.intervals.seeds.half, score_text),
        Column("± examples", True, lambda row: row.intervals.examples and row.intervals.examples.half, score_text),
    ]


def _trained_columns() -> list[Column]:
    """Return columns of the trained and the deployed parameters: a frozen encoder is deployed but not trained."""
    return [
        Column("trained", True, _cost("cost/params_trained"), "{:,.0f}".format),
        Column("deployed", True, _cost("cost/params_deployed"), "{:,.0f}".format),
    ]


def _is_partly_trained(row: Row) -> bool:
    trained, total = row.costs.get("cost/params_trained"), row.costs.get("cost/params")
    return trained is not None and total is not None and trained < total


def _nonzero(row: Row) -> float | None:
    """Return the share of non-zero parameters; None from 99 % on, where it is not worth a column."""
    total, nonzero = row.costs.get("cost/params"), row.costs.get("cost/params_nonzero")
    return nonzero / total if total and nonzero is not None and nonzero < 0.99 * total else None


def _tested(value: Callable[[Paired], object]) -> Callable[[Row], object]:
    return lambda row: value(row.paired) if isinstance(row.paired, Paired) else None


def _over_folds(value: Callable[[FoldPaired], object]) -> Callable[[Row], object]:
    return lambda row: value(row.paired) if isinstance(row.paired, FoldPaired) else None
