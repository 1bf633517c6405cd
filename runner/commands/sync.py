"""`run sync`: mirrors run folders to MLflow that it lacks, after an outage or into a new store."""

from __future__ import annotations

from runner.commands.options import output_folder, parse_options
from runner.commands.tracker import tracker_of
from runner.sanitize import say
from runner.track.resync import sync_all


def main(words: list[str]) -> int:
    """Sync every run folder below paths.output; tracker.uri names another store."""
    defaults = {"paths.output": "outputs", "tracker.uri": "null", "tracker.experiment": "bertier"}
    chosen = parse_options("sync", words, **defaults)
    output = output_folder(chosen.pop("paths.output"))
    counts = sync_all(output, tracker_of(chosen), say)
    say(str(counts))
    return 1 if counts.failed or counts.skipped else 0
