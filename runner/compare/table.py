"""A comparison as text: the cells that the terminal, Markdown and the report share.

The legend says what every interval is over; no score is printed without its n and interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.compare.claim_table import CLAIM_TITLES, claim_cells, claims_table
from runner.compare.pairs import Paired
from runner.compare.rows import Comparison, Row
from runner.compare.steps_to_target import STEPS
from runner.record.baseline import MARK, MEANING
from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 60  # in a terminal; files hold them all


@dataclass(frozen=True)
class Column:
    """One column: its title, the value for a row (None for an empty cell) and the format of the value."""

    title: str
    numeric: bool
    value: Callable[[Row], Any]
    form: Callable[[Any], str] = str

    def cell(self, row: Row) -> str:
        """The text of a row's cell; "" where there is no value."""
        value = self.value(row)
        return "" if value is None else self.form(value)


def comparison_columns(comparison: Comparison) -> list[Column]:
    """The columns for score, size and speed; those that are empty in every row are left out."""
    metrics = {row.metric for row in comparison.rows}
    score = metrics.pop() if len(metrics) == 1 else "score"
    eager = comparison.latency or ""
    found = [
        Column("group", False, lambda row: row.label),
        Column("metric", False, lambda row: row.metric if score == "score" else None),
        Column(score, True, lambda row: row.mean, "{:.4f}".format),
        Column("± sd", True, lambda row: row.sd, "{:.4f}".format),
        Column("95 %", True, lambda row: row.interval, lambda found: f"{found.low:.4f}-{found.high:.4f}"),
        *(_chance_columns() if any(_has_both_chances(row) for row in comparison.rows) else ()),
        Column("seeds", True, lambda row: row.n),
        *(_trained_columns() if any(map(_is_partly_trained, comparison.rows)) else ()),
        Column("parameters", True, _cost("cost/params"), "{:,.0f}".format),
        Column("non-zero", True, _nonzero, "{:.0%}".format),
        Column("packed MB", True, _cost("cost/bytes_packed", 1e6), "{:,.2f}".format),
        Column("file MB", True, _cost("cost/bytes_file", 1e6), "{:,.2f}".format),
        Column("MACs", True, _cost("cost/macs"), short_number),
        Column("ms", True, _cost("latency"), "{:,.3f}".format),
        Column("ONNX ms", True, _cost(eager.replace("latency_ms", "onnx_ms")), "{:,.3f}".format),
        Column("ONNX int8 ms", True, _cost(eager.replace("latency_ms", "onnx_int8_ms")), "{:,.3f}".format),
        Column("train s", True, _cost("time/train_s"), "{:,.1f}".format),
        Column("steps to target", True, _cost(STEPS), "{:,.0f}".format),
        Column("gravity", True, lambda row: row.group.mean("mix/center"), "{:.2f}".format),
        Column("Pareto", False, lambda row: row.fronts or None),
    ]
    return [column for column in found if any(column.cell(row) for row in comparison.rows)]


def columns_of_tests() -> list[Column]:
    """The columns for the test of each group against the baseline."""
    return [
        Column("group", False, lambda row: row.label),
        Column("verdict", False, lambda row: row.verdict or None),
        Column("difference", True, _tested(lambda found: found.difference), "{:+.4f}".format),
        Column("95 %", True, _tested(lambda found: found), lambda found: f"{found.low:+.4f} to {found.high:+.4f}"),
        Column("pairs", True, _tested(lambda found: len(found.seeds))),
        Column("p examples", True, _tested(lambda found: found.p_examples), p_value_text),
        Column("p seeds", True, _tested(lambda found: found.p_seeds), p_value_text),
        Column("p Holm", True, _tested(lambda found: found.p_holm), p_value_text),
    ]


def p_value_text(p: float) -> str:
    """A p-value with two digits; below 0.0001 only the bound."""
    return "<0.0001" if p < 0.0001 else f"{p:.2g}"


def short_number(value: float) -> str:
    """A number with two decimals and a unit prefix: 4.47 M; below a thousand without: 512."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.2f}{name}"
    return f"{value:.0f}"


def legend_of_columns(comparison: Comparison) -> list[str]:
    """The meaning of the columns, one sentence a line."""
    lines = []
    if any(_has_both_chances(row) for row in comparison.rows):
        lines.append(
            "95 %: spans both kinds of chance. ± seeds: half of Student's t interval over seeds, on the same examples; "
            "± examples: half of the interval over the examples, the mean of the runs', which more seeds do not narrow."
        )
    elif any(row.n > 1 for row in comparison.rows):
        lines.append("95 %: Student's t interval over seeds, on the same examples.")
    if any(row.n > 1 for row in comparison.rows):
        lines.append(
            "groups.csv also has the bootstrap interval over seeds, which is too narrow for few seeds: with three it "
            "covers the mean in 76 % of cases."
        )
    if any(row.n == 1 for row in comparison.rows):
        lines.append("With one seed, 95 % is over the examples of that run and says nothing about other seeds.")
    if comparison.latency:
        lines.append(f"ms: {comparison.latency}, mean over runs.")
    lines.append(
        "Pareto-optimal: no row is both more accurate and smaller (b: packed bytes), faster (l: latency), "
        "or cheaper (m: multiply-adds)."
    )
    if any(row.at_baseline for row in comparison.rows):
        lines.append(f"{MARK}: {MEANING}; never Pareto-optimal.")
    return lines


def legend_of_tests(comparison: Comparison) -> list[str]:
    """The tests behind the verdicts, in two sentences."""
    kinds = sorted({row.paired.test for row in comparison.rows if isinstance(row.paired, Paired)})
    tests = "1 test" if comparison.tests == 1 else f"{comparison.tests} tests"
    return [
        f"Against {comparison.baseline}, seed by seed on the same examples: {'; '.join(kinds) or 'nothing to pair'}."
        " With several seeds also a paired t test over seeds; both must find the difference significant.",
        f"p Holm: the larger of the two p-values, corrected for {tests} in this table; below 0.05 is significant.",
    ]


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the whole comparison to a terminal."""
    shown = comparison.rows[:MOST_ROWS]
    _print(console, "compared", comparison_columns(comparison), shown)
    if len(shown) < len(comparison.rows):
        _say(
            console,
            f"... and {len(comparison.rows) - len(shown)} more groups. All of them: --out FOLDER or --format csv",
        )
    for line in legend_of_columns(comparison):
        _say(console, line)
    if comparison.baseline:
        console.print()
        _print(console, f"against {comparison.baseline}", columns_of_tests(), shown)
        for line in legend_of_tests(comparison):
            _say(console, line)
    elif len(comparison.rows) > 1:
        _say(console, f'For significance tests name a baseline: --baseline "{comparison.rows[-1].group.name}"')
    if comparison.claims:
        console.print()
        console.print(claims_table(comparison.claims))
    for note in all_notes(comparison):
        _say(console, note)


def all_notes(comparison: Comparison) -> Iterator[str]:
    """Notes for the reader: groups that were not pooled, suspicious costs, runs left out."""
    yield from (f"note: {note}" for note in comparison.notes)
    yield from (f"check: {sentence}" for sentence in comparison.lint)
    left_out = comparison.selection.left_out
    yield from (f"left out: {name} ({why})" for name, why in left_out[:8])
    if len(left_out) > 8:
        yield f"left out: {len(left_out) - 8} more"


def markdown(comparison: Comparison, title: str, question: str | None) -> str:
    """The comparison as a Markdown page."""
    lines = [f"# {title}", ""] + ([question, ""] if question else [])
    lines += _markdown_table(comparison_columns(comparison), comparison.rows)
    lines += ["", *(f"- {line}" for line in legend_of_columns(comparison))]
    if comparison.baseline:
        lines += ["", *_markdown_table(columns_of_tests(), comparison.rows), ""]
        lines += [f"- {line}" for line in legend_of_tests(comparison)]
    if comparison.claims:
        rows = [claim_cells(claim) for claim in comparison.claims]
        lines += ["", *_pipes(CLAIM_TITLES, [False] * len(CLAIM_TITLES), rows)]
    said = [f"- {note}" for note in all_notes(comparison)]
    return "\n".join(lines + (["", *said] if said else [])) + "\n"


def _markdown_table(shown: list[Column], rows: list[Row]) -> list[str]:
    cells = [[column.cell(row) for column in shown] for row in rows]
    return _pipes([column.title for column in shown], [column.numeric for column in shown], cells)


def _pipes(titles: list[str], numeric: list[bool], rows: list[list[str]]) -> list[str]:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(titles), line(["---:" if right else "---" for right in numeric]), *(line(row) for row in rows)]


def _print(console: Console, title: str, shown: list[Column], rows: list[Row]) -> None:
    """Print a table; one wider than the terminal is continued below, with the groups repeated."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    for part in split_to_width(shown, rows, console.width):
        table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for column in part:
            table.add_column(
                escape(column.title), justify="right" if column.numeric else "left", no_wrap=column.numeric
            )
        for row in rows:
            table.add_row(*(escape(column.cell(row)) for column in part), style="bold" if row.is_baseline else None)
        console.print(table)


def split_to_width(shown: list[Column], rows: list[Row], width: int) -> list[list[Column]]:
    """Split the columns into tables that fit the width; each begins with the first column."""

    def needs(column: Column) -> int:
        widest = max([len(column.title), *(len(column.cell(row)) for row in rows)])
        return (
            widest if column.numeric else min(widest, 40)
        ) + 3  # text may wrap, numbers must not; 3: padding and rule

    first, *others = shown
    parts, used = [[first]], needs(first)
    for column in others:
        if used + needs(column) > width and len(parts[-1]) > 1:
            parts.append([first])
            used = needs(first)
        parts[-1].append(column)
        used += needs(column)
    return parts


def _say(console: Console, text: str) -> None:
    console.print(escape(text), soft_wrap=True)


def _cost(name: str, unit: float = 1.0) -> Callable[[Row], float | None]:
    return lambda row: row.costs[name] / unit if name in row.costs else None


def _has_both_chances(row: Row) -> bool:
    return row.chances.seeds is not None and row.chances.examples is not None


def _chance_columns() -> list[Column]:
    """Half of the interval by each kind of chance."""
    return [
        Column("± seeds", True, lambda row: row.chances.seeds and row.chances.seeds.half, "{:.4f}".format),
        Column("± examples", True, lambda row: row.chances.examples and row.chances.examples.half, "{:.4f}".format),
    ]


def _trained_columns() -> list[Column]:
    """The trained parameters beside those that are deployed: a frozen encoder is not trained, yet it runs."""
    return [
        Column("trained", True, _cost("cost/params_trained"), "{:,.0f}".format),
        Column("deployed", True, _cost("cost/params_deployed"), "{:,.0f}".format),
    ]


def _is_partly_trained(row: Row) -> bool:
    trained, total = row.costs.get("cost/params_trained"), row.costs.get("cost/params")
    return trained is not None and total is not None and trained < total


def _nonzero(row: Row) -> float | None:
    """The share of non-zero parameters; None from 99 % on, where it is not worth a column."""
    total, nonzero = row.costs.get("cost/params"), row.costs.get("cost/params_nonzero")
    return nonzero / total if total and nonzero is not None and nonzero < 0.99 * total else None


def _tested(value: Callable[[Paired], Any]) -> Callable[[Row], Any]:
    return lambda row: value(row.paired) if isinstance(row.paired, Paired) else None
