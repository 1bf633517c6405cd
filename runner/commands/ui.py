"""`run ui`: MLflow's own pages on the recorded runs, on loopback only."""

from __future__ import annotations

from runner.commands.options import output_folder, parse_options, true_or_false, whole_number
from runner.commands.tracker import tracker_of
from runner.sanitize import say
from runner.track.ui import serve_mlflow


def main(words: list[str]) -> int:
    """Serve until Ctrl-C; port= picks the port, open=false opens no browser."""
    defaults = {"paths.output": "outputs", "tracker.uri": "null", "tracker.experiment": "bertier"}
    chosen = parse_options("ui", words, port="5000", open="true", **defaults)
    port = whole_number("ui", "port", chosen.pop("port"), 0, 65535)
    is_opened = true_or_false("ui", "open", chosen.pop("open"))
    output = output_folder(chosen.pop("paths.output"))
    return serve_mlflow(tracker_of(chosen), output, port, say, is_opened=is_opened)
