"""Reports of minimal pairs as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.counted import counted
from runner.minimal_pairs.arms import Arm
from runner.minimal_pairs.results import Line, PairReport
from runner.minimal_pairs.versus import Versus
from runner.minimal_pairs.wanted import ALL, PARADIGM
from runner.record.table import say_below, widen
from runner.sanitize import escape
from runner.statistics.paired import holm_p_values

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SHOWN = 10  # identical pairs that are named
STAR = "*: not above the better baseline of the two (its interval reaches down to it)"


def groupings(report: PairReport, by: str) -> list[str]:
    """Return the groupings to show: the requested one; for "" those of the data, or by paradigm if it has none."""
    if by == ALL:
        return list(report.groups)
    return [by] if by in report.groups else [name for name in report.groups if name != PARADIGM] or [PARADIGM]


def show_report(report: PairReport, console: Console, by: str = "") -> None:
    """Print a report by the requested grouping."""
    widen(console)
    whole = report.whole
    say_below(f"{report.name} of {report.model}: {in_words(report)}", console)
    shown = [report.groups[name] for name in groupings(report, by)]
    lines = [line for lines in shown for line in lines]
    console.print(_table(shown, whole))
    if any(is_at_baseline(line) for line in [*lines, whole]):
        say_below(STAR, console)
    say_below(_cut(report), console)
    if report.identical:
        named = ", ".join(report.identical[:SHOWN]) + (", ..." if len(report.identical) > SHOWN else "")
        are = counted(len(report.identical), "pair has", "pairs have")
        say_below(f"{are} two equal sentences, a tie for every model: {named}", console)
    for note in report.notes:
        say_below(f"note: {note}", console)


def in_words(report: PairReport) -> str:
    """Return the mean with its interval and its baselines, in one line."""
    whole = report.whole
    bag = "" if whole.unigrams is None else f", unigrams {whole.unigrams:.3f}"
    return (
        f"{whole.accuracy:.3f} [{whole.low:.3f}, {whole.high:.3f}] over {len(whole.members)} "
        f"{'paradigm' if len(whole.members) == 1 else 'paradigms'}; the shorter sentence {whole.shorter:.3f}{bag}"
    )


def one_line(report: PairReport) -> str:
    """Return the result in one line: which pairs, how many of them, the mean."""
    return f"{report.name} ({report.whole.pairs:,} pairs): {in_words(report)}"


def is_at_baseline(line: Line) -> bool:
    """Does the interval of the accuracy reach down to the better baseline, or to one half?"""
    return line.low <= max(line.shorter, line.unigrams or 0.0, 0.5)


def _cut(report: PairReport) -> str:
    """Return how many pairs were used, and how to use all of them."""
    told = f"{report.whole.pairs:,} of {report.available:,} pairs in {report.seconds:,.0f} s"
    return told if report.whole.pairs == report.available else f"{told}, the first of each paradigm; all: max_pairs=all"


def _table(groups: Sequence[Sequence[Line]], whole: Line) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", min_width=16)
    for name in ("pairs", "accuracy", "95 %", "ties", "shorter", "unigrams"):
        table.add_column(name, justify="right", no_wrap=True)
    for lines in groups:
        for line in lines:
            table.add_row(*_cells(line))
        table.add_section()
    table.add_row(*_cells(whole))
    return table


def _cells(line: Line) -> tuple[str, ...]:
    star = "*" if is_at_baseline(line) else " "
    bag = "-" if line.unigrams is None else f"{line.unigrams:.3f}"
    return (
        escape(line.name), f"{line.pairs:,}", f"{line.accuracy:.3f}{star}", f"[{line.low:.2f}, {line.high:.2f}]",
        f"{line.ties:.1%}", f"{line.shorter:.3f}", bag,
    )  # fmt: skip


def show_arms(arms: Sequence[Arm], console: Console) -> None:
    """Print many models side by side, each with its difference from the first."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    widen(console)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("model", overflow="fold", min_width=16)
    for name in ("seeds", "accuracy", "95 %", "shorter", "unigrams", "minus the first", "p"):
        table.add_column(name, justify="right", no_wrap=name != "minus the first")
    tested = [None, *(arm.against(arms[0]) for arm in arms[1:])]
    corrected = [1.0, *holm_p_values([found.p for found in tested if found])]
    for arm, found, p in zip(arms, tested, corrected):
        shorter, bag = (arm.baseline(name) for name in ("shorter", "unigrams"))
        less = f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]" if found else ""
        table.add_row(
            escape(arm.name), str(len(arm.results)), f"{arm.mean:.3f}", "[{:.2f}, {:.2f}]".format(*arm.interval),
            "-" if shorter is None else f"{shorter:.3f}", "-" if bag is None else f"{bag:.3f}",
            less, f"{p:.3f}" if found else "",
        )  # fmt: skip
    console.print(table)
    say_below("95 %: over seeds (t), of one model over its pairs (bootstrap)", console)
    say_below("minus the first: over the seeds in common (t), of fewer than two over the pairs (bootstrap)", console)
    say_below("p: Holm, over all models of this table", console)
    say_below("by phenomenon: run blimp with two of them", console)


def show_versus(found: Versus, console: Console) -> None:
    """Print two models side by side, with their difference on the same pairs."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    widen(console)
    say_below(f"A: {found.first}", console)
    say_below(f"B: {found.second}", console)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", min_width=16)
    for name in ("pairs", "A", "B", "B - A", "95 %", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in found.lines:
        table.add_row(
            escape(line.name), f"{line.pairs:,}", f"{line.first:.3f}", f"{line.second:.3f}",
            f"{line.difference.mean:+.3f}", f"[{line.difference.low:+.3f}, {line.difference.high:+.3f}]",
            f"{line.p:.3f}",
        )  # fmt: skip
    console.print(table)
    say_below("the same pairs are drawn for both (bootstrap); p of the groups: Holm, over all of them", console)
