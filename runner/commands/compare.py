"""`run compare`: recorded runs as one table, with tests against a baseline, claims and a report."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import NoReturn

from runner.commands.options import output_folder
from runner.compare.analyse import analyse
from runner.compare.claims import judge_claims
from runner.compare.export import write_groups_csv
from runner.compare.failed_runs import left_open
from runner.compare.latex import latex
from runner.compare.ledger import ledger
from runner.compare.report import write_report_files
from runner.compare.rows import Comparison
from runner.compare.select import select_runs
from runner.compare.table import markdown, print_comparison
from runner.config.compose import compose
from runner.errors import ConfigError
from runner.machine.collector import paused_collector
from runner.mistakes.answered import read_answered
from runner.mistakes.versus import compare_errors, print_versus, versus_page
from runner.record.folder import find_record
from runner.report.page import write_page
from runner.sanitize import say, visible

LEDGER = "ledger"  # the format that shows a sweep's claims alone


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are the user's: one message, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"run compare: {message}. Try: run compare --help")


def main(words: list[str]) -> int:
    """Print the comparison, or write it as Markdown, CSV or a report; 0 unless the command is wrong."""
    with paused_collector():
        return compare(parse_words(words))


def compare(chosen: argparse.Namespace) -> int:
    """Print or write the comparison that the words describe; returns 0."""
    output = "outputs"
    for word in [word for word in chosen.words if word.startswith("paths.output=")]:
        output = word.partition("=")[2]
    wanted = [word for word in chosen.words if not word.startswith("paths.output=")]
    if chosen.errors:
        refuse_beside_errors(chosen)
        return compare_mistakes(wanted, output_folder(output), chosen.out)
    selection = select_runs(output_folder(output), wanted)
    sweep = selection.sweep
    claims = sweep.claims if sweep else []
    if (chosen.claims or chosen.format == LEDGER) and not claims:
        problem = f"sweep {sweep.id} states no claims" if sweep else "claims belong to a sweep"
        raise ConfigError(f"run compare --claims: {problem}. Try: run compare <a sweep with claims> --claims")
    baseline = chosen.baseline or (sweep.baseline if sweep else None)
    comparison = analyse(
        selection, baseline=baseline, metric=chosen.metric, forgiving=not chosen.baseline,
        any_threshold=chosen.any_threshold,
    )  # fmt: skip
    comparison.details = costs_of(chosen.costs, comparison)
    if chosen.claims or chosen.format == LEDGER or (chosen.out and claims):
        comparison.claims = left_open(judge_claims(claims, comparison.rows), selection.left_out)
    title, question = (sweep.title, sweep.question) if sweep else ("compared", None)
    if sweep and chosen.format == LEDGER:
        print(visible(ledger(comparison, sweep)), end="")
    else:
        show_comparison(comparison, chosen.format, title, question)
    if chosen.out:
        for path in write_report_files(comparison, Path(chosen.out).expanduser(), title=title, question=question):
            say(f"wrote {path}", sys.stderr)
    return 0


def refuse_beside_errors(chosen: argparse.Namespace) -> None:
    """Raise ConfigError for an option beside --errors that only the table of groups has."""
    given = {
        "--baseline": chosen.baseline, "--metric": chosen.metric, "--costs": chosen.costs, "--claims": chosen.claims,
        "--any-threshold": chosen.any_threshold, "--format": chosen.format != "table",
    }  # fmt: skip
    if useless := [name for name, is_given in given.items() if is_given]:
        raise ConfigError(
            f"run compare --errors: {useless[0]} is for the table of runs, not for the rows in which two runs differ. "
            f"Leave one of them out"
        )


def compare_mistakes(words: list[str], output: Path, out: str | None) -> int:
    """Print the rows in which two runs differ, or also write a page; raise ConfigError unless two runs are named.

    words: the ids, and paths.cache= if it is not the default.
    """
    caches = [word.partition("=")[2] for word in words if word.startswith("paths.cache=")]
    names = [word for word in words if not word.startswith("paths.cache=")]
    if len(names) != 2:
        filters = [name for name in names if "=" in name]
        given = f"{filters[0]!r} is not the id of a run" if filters else f"two runs are needed, not {len(names)}"
        raise ConfigError(f"run compare --errors: {given}. Try: run compare A B --errors")
    cache = Path(caches[-1] if caches else compose([]).paths.cache).expanduser()
    first, second = (
        read_answered(record, output / record.identity) for record in (find_record(output, name) for name in names)
    )
    found = compare_errors(first, second, cache)
    from rich.console import Console

    print_versus(found, Console(highlight=False))
    if out:
        path = Path(out).expanduser() / "errors.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_page(path, versus_page(found))
        say(f"wrote {path}", sys.stderr)
    return 0


def parse_words(words: list[str]) -> argparse.Namespace:
    """Return the words of the command as a namespace; raise ConfigError for an unknown one."""
    parser = Parser(prog="run compare", add_help=False, allow_abbrev=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--baseline")
    parser.add_argument("--metric")
    parser.add_argument("--costs", default="")
    parser.add_argument("--claims", action="store_true")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--any-threshold", action="store_true")
    parser.add_argument("--out")
    parser.add_argument("--format", choices=("table", "markdown", "csv", "latex", LEDGER), default="table")
    return parser.parse_intermixed_args(words)


def costs_of(wanted: str, comparison: Comparison) -> tuple[str, ...]:
    """Return the costs and times whose columns were requested; raise ConfigError for one that no selected run has."""
    names = tuple(dict.fromkeys(filter(None, wanted.split(","))))
    there = {name for row in comparison.rows for name in row.costs if "/" in name}
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=3, cutoff=0.4) or sorted(there)[:3]
            raise ConfigError(f"--costs {name}: no selected run has it. Try: --costs {','.join(near)}")
    return names


def show_comparison(comparison: Comparison, form: str, title: str, question: str | None) -> None:
    """Print the comparison in one of the forms."""
    if form == "csv":
        write_groups_csv(comparison, sys.stdout)
        return
    if form == "markdown":
        print(visible(markdown(comparison, title, question)), end="")
        return
    if form == "latex":
        print(latex(comparison, title, question), end="")
        return
    from rich.console import Console

    print_comparison(comparison, Console(highlight=False))
