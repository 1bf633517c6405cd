"""Reads a run's answers, analyses the wrong ones, and writes errors.html and errors.csv into its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import ConfigError
from runner.mistakes.analyse import analyse
from runner.mistakes.answered import Answered, read_answered
from runner.mistakes.label_sets import analyse_label_sets
from runner.mistakes.numbers import analyse_numbers
from runner.mistakes.page import errors_page
from runner.mistakes.plain import Plain, plain_page, print_plain
from runner.mistakes.rankings import analyse_rankings
from runner.mistakes.run_data import RunData, read_run_data
from runner.mistakes.spans import analyse_spans
from runner.mistakes.tags import analyse_tags
from runner.mistakes.written import print_findings, write_errors_csv, write_table
from runner.record.record import RunRecord
from runner.report.answers import reliability_section
from runner.report.page import write_page

if TYPE_CHECKING:
    from rich.console import Console

PAGE, TABLE = "errors.html", "errors.csv"


def _plain(answered: Answered) -> Callable[[Answered, RunData | None], Plain]:
    """Return the function that finds the mistakes in answers other than one class per row."""
    if answered.are_texts:
        return analyse_spans
    if answered.has_label_sets:
        return analyse_label_sets
    if answered.is_ranked:
        return analyse_rankings
    return analyse_tags if answered.is_of_words else analyse_numbers


def report_errors(
    record: RunRecord, output: Path, cache: Path, *, split: str, label_errors: bool, every_row: bool = False,
    asked: str = "", console: Console, notify: Callable[[str], None],
) -> tuple[Path, ...]:  # fmt: skip
    """Write page and table, print the short table, and return the paths.

    label_errors: also look for training rows that may be mislabelled; every_row: among all of them. asked: the option
    as the user typed it, to name it if it cannot be followed; "" for the default. Raises ConfigError for a run that
    has no such page, and for `asked` of a run without classes.
    """
    folder = output / record.identity
    answered = read_answered(record, folder, split)
    if answered.are_texts or answered.is_of_words or not answered.names:
        if asked:
            raise ConfigError(
                f"{asked}: label errors are sought where rows have one class each, but run {record.identity} is of "
                f"{record.data.task}. Leave it out"
            )
        run_data = read_run_data(answered, cache)
        there = None if isinstance(run_data, str) else run_data
        plain = _plain(answered)(answered, there)
        plain.sentences.extend([f"No texts: {run_data}."] if isinstance(run_data, str) else [])
        write_page(folder / PAGE, plain_page(plain, record.identity))
        write_table(folder / TABLE, plain.columns, plain.lines)
        print_plain(plain, console)
        return folder / PAGE, folder / TABLE
    found = analyse(answered, cache, notify, label_errors=label_errors, every_row=every_row)
    write_page(folder / PAGE, errors_page(found, reliability_section(record, folder, answered.split)))
    write_errors_csv(found, folder / TABLE)
    print_findings(found, console)
    if asked and isinstance(found.suspects, str):
        notify(f"note: {asked}: no label errors were sought: {found.suspects}")
    return folder / PAGE, folder / TABLE
