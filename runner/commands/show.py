"""`run show [ID]`: the table of a recorded run, and where its page is."""

from __future__ import annotations

import contextlib

from runner.commands.options import output_folder, parse_options
from runner.record.folder import PAGE, find_record
from runner.record.table import show_record
from runner.report.run_page import write_run_page


def main(words: list[str]) -> int:
    """Print the newest run, or the one whose identity starts with ID; paths.output= names another folder."""
    identity = words[0] if words and "=" not in words[0] else None
    chosen = parse_options("show", words[1:] if identity else words, **{"paths.output": "outputs"})
    output = output_folder(chosen["paths.output"])
    record = find_record(output, identity)
    folder = output / record.identity
    if record.status == "done" and not (folder / PAGE).is_file():  # made by an older version
        with contextlib.suppress(OSError):  # a folder that cannot be written is shown without a page
            write_run_page(record, folder)
    show_record(record, folder, details=True)
    return 0
