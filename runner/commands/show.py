"""`run show [ID]`: the table of a recorded run, and where its page is; or of the runs of a sweep."""

from __future__ import annotations

import contextlib
from collections import Counter
from glob import escape
from pathlib import Path

from runner.cascade.show import show_cascade
from runner.commands.options import output_folder, parse_options, refuse_flag
from runner.compare.short_table import show_runs
from runner.deploy.exported import CASCADE
from runner.machine.collector import paused_collector
from runner.minimal_pairs.results import read_reports
from runner.minimal_pairs.show import one_line
from runner.probing import results as probing
from runner.probing.show import one_line as probed_line
from runner.record.folder import LATEST, PAGE, RECORD, find_record, read_record, read_records, run_folder
from runner.record.next_step import next_command
from runner.record.selection import best_record
from runner.record.status import shown_status
from runner.record.sweep_record import SweepRecord, find_sweep, sweep_folder, winner_of_search
from runner.record.table import show_record
from runner.report.run_page import write_run_page
from runner.sanitize import say


def main(words: list[str]) -> int:
    """Print the newest run, the one that ID names, or a sweep; paths.output= names another folder."""
    identity = words[0] if words and "=" not in words[0] else None
    refuse_flag("show", identity or "")
    chosen = parse_options("show", words[1:] if identity else words, **{"paths.output": "outputs"})
    output = output_folder(chosen["paths.output"])
    if identity and (sweep := sweep_named(output, identity)):
        with paused_collector():
            show_sweep(sweep, output)
        return 0
    record = find_record(output, identity)
    folder = output / record.identity
    if record.status == "done" and not (folder / PAGE).is_file():  # made by an older version
        with contextlib.suppress(OSError):  # a run in a read-only folder is shown without a page
            write_run_page(record, folder)
    show_record(record, folder, details=True)
    if record.config.get(CASCADE):
        from rich.console import Console

        show_cascade(record, folder, Console(highlight=False))
    for report in read_reports(folder, record.started):
        say(f"minimal pairs, {one_line(report)}")
    for probes in probing.read_reports(folder, record.started):
        say(f"probes, {probed_line(probes)}")
    return 0


def sweep_named(output: Path, name: str) -> SweepRecord | None:
    """Return the sweep of that name or id, if no run has it; None for a run."""
    is_run = name == LATEST or run_folder(name) is not None or any(output.glob(f"{escape(name)}*/{RECORD}"))
    return None if is_run else find_sweep(output, name)


def show_sweep(sweep: SweepRecord, output: Path) -> None:
    """Print the runs of a sweep side by side, how many did not finish, its report and what to try next."""
    counts = Counter(shown_status(run) for run in sweep.runs)
    states = ", ".join(f"{count} {status}" for status, count in counts.items())
    say(f"sweep {sweep.title} ({sweep.id}, {sweep.status}): {states}")
    if sweep.question:
        say(sweep.question)
    records, _ = read_records(output / name for name in sweep.identities)
    show_runs(records, output)
    report = sweep_folder(output, sweep.id) / "report.html"
    if report.exists():
        say(f"report: {report}")
    done = [record for record in records if record.status == "done"]
    if done:
        winner = winner_of_search(output, sweep.id)
        chosen = read_record(output / winner) if winner else None
        say(f"next: {next_command(chosen or best_record(done) or done[-1], output)}")
