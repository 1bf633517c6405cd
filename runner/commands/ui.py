"""`run ui`: MLflow's own pages on the recorded runs, on loopback only."""

from __future__ import annotations

from runner.commands.options import output_folder, parse_options, true_or_false
from runner.commands.tracker import tracker_of
from runner.errors import ConfigError
from runner.sanitize import say
from runner.track.ui import serve_mlflow


def main(words: list[str]) -> int:
    """Serve until Ctrl-C; port= picks the port, open=false opens no browser."""
    defaults = {"paths.output": "outputs", "tracker.uri": "null", "tracker.experiment": "bertier"}
    chosen = parse_options("ui", words, port="5000", open="true", **defaults)
    port, is_opened = chosen.pop("port"), true_or_false("ui", "open", chosen.pop("open"))
    if not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"run ui: port={port} is not a port (0, for any free one, to 65535). Try: run ui port=5000")
    output = output_folder(chosen.pop("paths.output"))
    return serve_mlflow(tracker_of(chosen), output, int(port), say, is_opened=is_opened)
