"""A comparison as text: the cells that the terminal, Markdown and the report share.

The legend states what every interval is over; no score is printed without its n and interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from data.counted import counted
from runner.compare.axes import words_of
from runner.compare.baselines import BaselineLine, baseline_lines
from runner.compare.claim_table import CLAIM_TITLES, claim_cells, claims_table
from runner.compare.columns import Column, columns_of_tests, comparison_columns, has_both_chances
from runner.compare.group_pairs import FoldPaired
from runner.compare.pairs import Paired
from runner.compare.rows import Comparison, Row
from runner.record.baseline import MARK, MEANING
from runner.record.shown_costs import ANSWER, STAR_OF_SIZE, STAR_OF_TIME, answer_of, size_of
from runner.record.table import say_below
from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.console import Console

MOST_ROWS = 60  # in a terminal; files hold them all


LEGEND_OF_FOLDS = (
    "folds: repeats x folds; seeds within a fold are averaged first. 95 % over folds is corrected for training rows "
    "that overlap (Nadeau and Bengio 2003); ± sd is between folds."
)


def legend_of_columns(comparison: Comparison) -> list[str]:
    """Return the meaning of the columns, one sentence a line."""
    lines = []
    if any(has_both_chances(row) for row in comparison.rows):
        lines.append(
            "95 %: covers seeds and examples. ± seeds: half of Student's t interval over seeds, on the same examples; "
            "± examples: half of the interval over the examples, averaged over runs; more seeds do not narrow it."
        )
    elif any(row.intervals.seeds for row in comparison.rows):
        lines.append("95 %: Student's t interval over seeds, on the same examples.")
    if any(row.group.is_folded for row in comparison.rows):
        lines.append(LEGEND_OF_FOLDS)
    if any(row.n > 1 and not row.group.is_folded for row in comparison.rows):
        lines.append(
            "groups.csv also has the bootstrap interval over seeds, which is too narrow for few seeds: with three it "
            "covers the mean in 76 % of cases."
        )
    if any(row.n == 1 and not row.group.is_folded for row in comparison.rows):
        lines.append("With one seed, 95 % is over the examples of that run and says nothing about other seeds.")
    lines += _legend_of_costs(comparison)
    lines.append(
        "Pareto-optimal: no other row is at least as accurate and at least as small "
        f"(b: {words_of(comparison.size) or 'bytes'}), fast (l: {words_of(comparison.time) or 'time'}) or cheap "
        "(m: multiply-adds), and better in one of the two."
    )
    if any(row.at_baseline for row in comparison.rows):
        lines.append(f"{MARK}: {MEANING}; never Pareto-optimal.")
    return lines


def _legend_of_costs(comparison: Comparison) -> list[str]:
    """Sentences about the default columns of size and time, and about what is marked in them."""
    costs, lines = [row.costs for row in comparison.rows], list[str]()
    if any("cost/bytes_deployed" in found for found in costs):
        lines.append("deployed MB: all files needed to answer a string, including vocabulary and config.")
    if any(ANSWER in found for found in costs):
        lines.append("answer us: the median time from a string to its label, one at a time on one thread.")
    if any(shown and shown.is_nearest for shown in map(size_of, costs)):
        lines.append(STAR_OF_SIZE)
    if any(shown and shown.is_nearest for shown in map(answer_of, costs)):
        lines.append(f"{STAR_OF_TIME.rstrip('.')} ({comparison.latency}).")
    if comparison.latency in comparison.details:
        lines.append(f"{comparison.latency}: mean over runs.")
    return lines


def legend_of_tests(comparison: Comparison) -> list[str]:
    """Return the tests behind the verdicts, in a few sentences."""
    tested = [row.paired for row in comparison.rows if isinstance(row.paired, Paired)]
    folded = [found for found in tested if isinstance(found, FoldPaired)]
    kinds = sorted({found.test for found in tested if found not in folded})
    tests = counted(comparison.tests, "test")
    lines, against = [], f"Against {comparison.baseline}"
    if kinds or not folded:
        lines.append(
            f"{against}, seed by seed on the same examples: {'; '.join(kinds) or 'nothing to pair'}."
            " With several seeds also a paired t test over seeds; both must find the difference significant."
        )
    if folded:
        of_models = "; ".join(sorted({found.of_models for found in folded}))
        lines.append(
            f"{against}, fold by fold: the verdict, its 95 % and p folds are about the recipes, retrained on other "
            "rows of this kind (corrected resampled t). These models: the runs' answers to all held-out rows, paired "
            f"row by row ({of_models})."
        )
    larger = "the larger of the two p-values" if kinds or not folded else "p folds"
    return [*lines, f"p Holm: {larger}, corrected for {tests} in this table; below 0.05 is significant."]


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the whole comparison to a terminal."""
    shown = comparison.rows[:MOST_ROWS]
    _print(console, "compared", comparison_columns(comparison), shown, baseline_lines(comparison.rows))
    if len(shown) < len(comparison.rows):
        more = len(comparison.rows) - len(shown)
        say_below(f"... and {more} more groups. All of them: --out FOLDER or --format csv", console)
    for line in legend_of_columns(comparison):
        say_below(line, console)
    if comparison.baseline:
        console.print()
        _print(console, f"against {comparison.baseline}", columns_of_tests(shown), shown, [])
        for line in legend_of_tests(comparison):
            say_below(line, console)
    elif len(comparison.rows) > 1:
        say_below(f'For significance tests name a baseline: --baseline "{comparison.rows[-1].group.name}"', console)
    if comparison.claims:
        console.print()
        console.print(claims_table(comparison.claims))
    for note in all_notes(comparison):
        say_below(note, console)


def all_notes(comparison: Comparison) -> Iterator[str]:
    """Notes for the reader: groups that were not pooled, suspicious costs, runs left out."""
    yield from (f"note: {note}" for note in comparison.notes)
    yield from (f"check: {sentence}" for sentence in comparison.lint)
    left_out = comparison.selection.left_out
    yield from (f"left out: {name} ({why})" for name, why in left_out[:8])
    if len(left_out) > 8:
        yield f"left out: {len(left_out) - 8} more"


def markdown(comparison: Comparison, title: str, question: str | None) -> str:
    """Return the comparison as a Markdown page."""
    lines = [f"# {title}", ""] + ([question, ""] if question else [])
    lines += _markdown_table(comparison_columns(comparison), comparison.rows, baseline_lines(comparison.rows))
    lines += ["", *(f"- {line}" for line in legend_of_columns(comparison))]
    if comparison.baseline:
        lines += ["", *_markdown_table(columns_of_tests(comparison.rows), comparison.rows, []), ""]
        lines += [f"- {line}" for line in legend_of_tests(comparison)]
    if comparison.claims:
        rows = [claim_cells(claim) for claim in comparison.claims]
        lines += ["", *pipe_table(CLAIM_TITLES, [False] * len(CLAIM_TITLES), rows)]
    said = [f"- {note}" for note in all_notes(comparison)]
    return "\n".join(lines + (["", *said] if said else [])) + "\n"


def _markdown_table(shown: list[Column], rows: list[Row], lines: list[BaselineLine]) -> list[str]:
    """Return the lines of a Markdown table, baselines last."""
    cells = [[column.cell(row) for column in shown] for row in rows]
    cells += [[column.of_baseline(line) for column in shown] for line in lines]
    return pipe_table([column.title for column in shown], [column.numeric for column in shown], cells)


def pipe_table(titles: Sequence[str], numeric: Sequence[bool], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; numeric: which columns are set to the right."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(titles), line(["---:" if right else "---" for right in numeric]), *(line(row) for row in rows)]


def _print(console: Console, title: str, shown: list[Column], rows: list[Row], lines: list[BaselineLine]) -> None:
    """Print a table, baselines last; one wider than the terminal is continued below, with the groups repeated."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    parts = split_to_width(shown, rows, console.width)
    for part, heading in zip(parts, part_titles(title, parts)):
        table = Table(title=escape(heading), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for column in part:
            table.add_column(
                escape(column.title), justify="right" if column.numeric else "left", no_wrap=column.numeric
            )
        for row in rows:
            table.add_row(*(escape(column.cell(row)) for column in part), style="bold" if row.is_baseline else None)
        below = [[escape(column.of_baseline(line)) for column in part] for line in lines]
        if any("".join(cells[1:]) for cells in below):
            table.add_section()
            for cells in below:
                table.add_row(*cells)
        console.print(table)


def part_titles(title: str, parts: list[list[Column]]) -> list[str]:
    """Return a title for each part of a table that is split: by what its columns are about, and if it goes on."""
    if len(parts) == 1:
        return [title]
    about = [" and ".join(dict.fromkeys(column.about for column in part if column.about)) for part in parts]
    titles = [f"{title}: {words}" if words else title for words in about]
    return [f"{one}, continued" if one in titles[:place] else one for place, one in enumerate(titles)]


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
