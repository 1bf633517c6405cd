"""`run errors ID`: the mistakes of a finished run, as a page, a table and a few lines on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from runner.commands.options import output_folder, parse_options, split_run, true_or_false
from runner.config.compose import compose
from runner.mistakes.report import report_errors
from runner.record.folder import find_record
from runner.sanitize import say
from runner.track.added import mirror_added
from runner.track.folder import STATE

DEFAULTS = {"split": "", "label_errors": "true", "paths.output": "outputs", "paths.cache": ""}
ALL = "all"  # of label_errors: every training row is looked at, not a sample


def main(words: list[str]) -> int:
    """Write page and table into the run's folder and print a short table; 0 unless the command is wrong."""
    name, rest = split_run("errors", words)
    chosen = parse_options("errors", rest, **DEFAULTS)
    every_row = chosen["label_errors"] == ALL
    label_errors = every_row or true_or_false("errors", "label_errors", chosen["label_errors"])
    given = [word for word in rest if word.startswith("label_errors=")]
    output = output_folder(chosen["paths.output"])
    record = find_record(output, name)
    cache = Path(chosen["paths.cache"] or compose([]).paths.cache).expanduser()
    from rich.console import Console

    written = report_errors(
        record, output, cache, split=chosen["split"], label_errors=label_errors, every_row=every_row,
        asked=given[-1] if given and label_errors else "", console=Console(highlight=False),
        notify=lambda line: say(line, sys.stderr),
    )  # fmt: skip
    for path in written:
        say(f"wrote {path}", sys.stdout)
    if (output / record.identity / STATE).is_file():  # it was mirrored before
        mirror_added(record, output / record.identity, lambda line: say(line, sys.stderr))
    return 0
