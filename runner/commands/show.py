"""`run show [ID]`: the table of a recorded run."""

from __future__ import annotations

from runner.commands.options import output_folder, parse_options
from runner.record.folder import find_record
from runner.record.table import show_record


def main(words: list[str]) -> int:
    """Print the newest run, or the one whose identity starts with ID; paths.output= names another folder."""
    identity = words[0] if words and "=" not in words[0] else None
    chosen = parse_options("show", words[1:] if identity else words, **{"paths.output": "outputs"})
    output = output_folder(chosen["paths.output"])
    record = find_record(output, identity)
    show_record(record, output / record.identity, details=True)
    return 0
