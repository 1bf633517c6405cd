"""The report as one HTML file that opens anywhere: no network, no library, light and dark.

Its blocks come from runner/report/; this module decides on the content.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from data.counted import counted
from runner.compare.baselines import BaselineLine, baseline_lines
from runner.compare.claim_table import CLAIM_TITLES, claim_cells
from runner.compare.colours import Colouring, colour_groups
from runner.compare.columns import Column, columns_of_tests, comparison_columns
from runner.compare.figures import curve_figures, pareto_figures, parts_of, seed_figures
from runner.compare.groups import ranked_settings
from runner.compare.pairs import Paired
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run, setting_text
from runner.compare.table import all_notes, legend_of_columns, legend_of_tests
from runner.record.identity import flatten
from runner.record.run_names import shown_setting
from runner.report.markup import Markup
from runner.report.page import Section, folded, notes, page
from runner.report.tables import Cell, Heading, table
from runner.statistics.paired import Interval

FACTS = (
    "cpu", "cores", "memory_bytes", "system", "python", "device", "threads", "code_version", "git_commit", "git_dirty",
    "engine.gemm", "engine.precision", "torch.gpu",
)  # fmt: skip
RUN_TITLES = ("run", "group", "seed", "metric", "score", "started")
MOST_GROUPS = 100  # whose settings are shown
MOST_OPEN = 10  # most groups or settings, whichever are fewer, that are shown without a click


def report_page(comparison: Comparison, *, title: str, question: str | None, made: str) -> str:
    """Return the report as one HTML page; made: when and by which version, for the line below the title."""
    rows = comparison.rows
    runs = sum(len(row.group.runs) for row in rows)
    sections = [_compared(comparison), *_checks(comparison), *_figures(comparison), *_details(comparison)]
    facts = f"{counted(runs, 'run')} in {counted(len(rows), 'group')}. {made}"
    return page(title, sections, lead=question or "", facts=facts)


def _compared(comparison: Comparison) -> Section:
    lines = baseline_lines(comparison.rows)
    shown = _columns(comparison_columns(comparison), comparison.rows, "groups", lines)
    return Section("Comparison", shown, "compared", legend_of_columns(comparison))


def _checks(comparison: Comparison) -> list[Section]:
    """Return the sections with warnings, tests against the baseline and claims, if there are any."""
    sections = []
    if found := [note.removeprefix("check: ") for note in all_notes(comparison)]:
        sections.append(Section("Check these", notes(found), "notes"))
    if comparison.baseline:
        shown = _columns(columns_of_tests(comparison.rows), comparison.rows)
        sections.append(Section("Against the baseline", shown, "tests", legend_of_tests(comparison)))
    if comparison.claims:
        lines = [[*claim_cells(claim), claim.source] for claim in comparison.claims]
        titles = [*CLAIM_TITLES, "source"]
        cells = [[_cell(title, text, text) for title, text in zip(titles, line)] for line in lines]
        sections.append(Section("Published against measured", table(titles, cells), "claims"))
    return sections


def _figures(comparison: Comparison) -> list[Section]:
    parts, colouring = parts_of(comparison), colour_groups(comparison.groups)
    sections = []
    if shown := pareto_figures(comparison, parts, colouring):
        sentences = [
            f"The dashed line connects the Pareto-optimal groups, which are named. {_colours(colouring)}"
            "Bars: 95 % intervals, as in the table. Crosses: at baseline. Point at a dot to see its numbers."
        ]
        sections.append(Section("Score against cost", shown, "pareto", sentences))
    if shown := seed_figures(parts, colouring):
        sentence = "One dot for each run, a stroke at the mean, a band for the 95 % interval."
        sections.append(Section("Seeds", shown, "seeds", [sentence]))
    if drawn := curve_figures(comparison, colouring):
        sections.append(Section("Learning curves", drawn[0], "curves", [drawn[1]]))
    return sections


def _colours(colouring: Colouring) -> str:
    return f"Colours are values of {colouring.title}. " if colouring.setting else ""


def _details(comparison: Comparison) -> list[Section]:
    sections = []
    if comparison.varying:
        sections.append(Section("Settings that differ", _differences(comparison), "differences"))
    environment = _environment([run for row in comparison.rows for run in row.group.runs])
    sections.append(Section("Environment", environment, "environment"))
    if shown := _runs(comparison.rows):
        sections.append(Section("", folded("All runs", shown), "runs"))
    return sections


def _columns(
    shown: Sequence[Column], rows: Sequence[Row], name: str = "", lines: Sequence[BaselineLine] = ()
) -> Markup:
    """Return a table of columns with a line for each row, numbered as in the figures, and then for each baseline."""
    titles = [Heading(column.title, column.numeric) for column in shown]
    cells = [
        [_cell(column.title, column.cell(row), _sort_key(column.value(row)), number if not i else None)
         for i, column in enumerate(shown)]
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip
    marked = [i for i, row in enumerate(rows) if row.is_baseline]
    foot = [[column.of_baseline(line) for column in shown] for line in lines]
    return table(titles, cells, is_sortable=True, marked=marked, name=name, foot=foot)


def _cell(title: str, text: str, value: float | str | None, number: int | None = None) -> Cell:
    return Cell(text, value, _style_of_verdict(text) if title == "verdict" else "", number)


def _style_of_verdict(text: str) -> str:
    if text.startswith(("better", "reproduced")):
        return "good"
    return "bad" if text.startswith(("worse", "not reproduced")) else "quiet"


def _sort_key(value: object) -> float | str | None:
    """Return the value that a cell is sorted by: the value itself, or the lower end of an interval.

    None if it is not a number.
    """
    found = value.low if isinstance(value, Interval | Paired) else value
    if isinstance(found, float) and not math.isfinite(found):
        return None
    return found if found is None or isinstance(found, int | float | str) else str(found)


def _differences(comparison: Comparison) -> Markup:
    """Return the settings that differ, those that name groups first; the longer side becomes the rows.

    A table that is long both ways is collapsed: most of its settings follow from the model.
    """
    groups = comparison.groups[:MOST_GROUPS]
    keys = ranked_settings(comparison.groups)
    across = [[shown_setting(key, group.settings) for group in groups] for key in keys]
    if len(keys) >= len(groups):
        shown = table(["setting", *(group.name for group in groups)], [[key, *line] for key, line in zip(keys, across)])
    else:
        names = [Cell(group.name, group.name, number=number) for number, group in enumerate(groups, 1)]
        shown = table(["group", *keys], [[name, *cells] for name, cells in zip(names, zip(*across))])
    return shown if min(len(groups), len(keys)) <= MOST_OPEN else folded(counted(len(keys), "setting"), shown)


def _environment(runs: Sequence[Run]) -> Markup:
    """Machine, versions and code of the runs; where they differ, each value with its number of runs."""
    counts: dict[str, dict[str, int]] = {}
    for run in runs:
        for key, value in flatten(run.record.environment.to_json()).items():
            if value is None:
                continue  # the record does not contain it
            if key in FACTS or key.startswith("versions."):
                values = counts.setdefault(key, {})
                text = f"{value / 1e9:.1f} GB" if key == "memory_bytes" else setting_text(value)
                values[text] = values.get(text, 0) + 1
    lines = []
    for key in sorted(counts, key=lambda key: (FACTS.index(key) if key in FACTS else len(FACTS), key)):
        values = counts[key]
        text = ", ".join(value if len(values) == 1 else f"{value} ({n} runs)" for value, n in values.items())
        lines.append([key.removeprefix("versions.").replace("memory_bytes", "memory"), text])
    return table(["fact", "value"], lines)


def _runs(rows: Sequence[Row]) -> Markup | None:
    lines: list[list[Cell | str]] = [
        [run.identity, row.label, Cell(str(run.seed), run.seed), row.metric,
         Cell(f"{run.metrics[row.metric]:.4f}", _sort_key(run.metrics[row.metric])), run.record.started]
        for row in rows for run in row.group.members if row.metric in run.metrics
    ]  # fmt: skip
    titles = [Heading(title, title in ("seed", "score")) for title in RUN_TITLES]
    return table(titles, lines, is_sortable=True) if lines else None
