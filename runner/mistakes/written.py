"""The findings as a table for a spreadsheet, errors.csv, and as a short table on a terminal."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.part_file import written_whole
from runner.mistakes.findings import ClassScores, Findings, SuspectLabels
from runner.mistakes.sentences import of_classes, summary
from runner.record.table import say_below, widen
from runner.sanitize import cell, escape
from runner.statistics.intervals import wilson_interval

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("what", "split", "file", "row", "line", "label", "answer", "score", "score_of_label", "text")
MISTAKE, SUSPECT = "mistake", "may be mislabelled"
MOST_CLASSES = 10  # on the terminal


def write_errors_csv(found: Findings, path: Path) -> None:
    """Write every mistake and every row that may be mislabelled, one per line.

    row: of the user's file, 1 is the first below the header. line: as an editor counts. score: of the answer.
    """
    write_table(path, COLUMNS, _lines(found))


def write_table(path: Path, columns: Sequence[str], lines: Iterable[Sequence[str | int | float | None]]) -> None:
    """Write lines for a spreadsheet completely or not at all; their texts cannot run as formulas."""
    with written_whole(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell(value) for value in line] for line in lines)


def _lines(found: Findings) -> Iterator[tuple[str | int | float | None, ...]]:
    for one in found.mistakes:
        place = one.place
        where = (place.file, place.row, place.line) if place else ("", one.index + 1, None)
        own = None if one.of_label is None else round(one.of_label, 6)
        score = round(one.confidence, 6) if found.has_scores else None
        yield MISTAKE, found.split, *where, one.label, one.answer, score, own, one.text
    if isinstance(found.suspects, SuspectLabels):
        for suspect in found.suspects.flagged:
            place = suspect.place
            yield (SUSPECT, suspect.split, place.file, place.row, place.line, suspect.label, suspect.likelier,
                   round(suspect.of_likelier, 6), round(suspect.of_label, 6), suspect.text)  # fmt: skip


def print_findings(found: Findings, console: Console) -> None:
    """Print the weakest classes and a summary of the findings."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    widen(console)
    say_below(f"{found.title} ({found.identity})", console)
    say_below(
        f"{found.rows - found.right:,} of {found.rows:,} rows of {found.split} are wrong, weakest class first", console
    )
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("class", overflow="fold", min_width=16)
    for name in ("rows", "recall", "precision", "F1"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("answered with", overflow="fold", min_width=14)
    for one in found.weakest[:MOST_CLASSES]:
        taken = f"{one.taken_for[0][1]:,} {one.taken_for[0][0]}" if one.taken_for else ""
        table.add_row(escape(one.name), f"{one.rows:,}", *_shares(one), escape(taken))
    console.print(table)
    if hidden := len(found.weakest) - MOST_CLASSES:
        say_below(f"and {hidden} more classes on the page", console) if hidden > 0 else None
    in_table = _said_by_table(found)
    for line in summary(found):
        if line not in in_table:
            say_below(line, console)


def _said_by_table(found: Findings) -> list[str]:
    """Return the first sentence on a class whose numbers are in the table: rare classes may fill all its lines."""
    first = of_classes(found)[:1] if len(found.weakest) > 1 else []
    shown = [one.name for one in found.weakest[:MOST_CLASSES]]
    return [line for line in first if any(line.startswith((f"{name}: F1 ", f"{name}: none of ")) for name in shown)]


def _shares(one: ClassScores) -> tuple[str, str, str]:
    """Recall with its interval, or the number of rows if all are right; precision and F1; two digits."""
    share = one.right / one.rows
    low, high = wilson_interval(share, one.rows)
    recall = f"{one.right:,} of {one.rows:,}" if one.right == one.rows else f"{share:.2f} [{low:.2f}, {high:.2f}]"
    return recall, f"{one.right / one.answered:.2f}" if one.answered else "-", f"{one.f1:.2f}"
