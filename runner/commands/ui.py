"""`run ui`: MLflow's own pages on the recorded runs, on loopback only."""

from __future__ import annotations

from runner.commands.options import output_folder, parse_options, true_or_false
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.sanitize import say
from runner.track.ui import serve_mlflow


def main(words: list[str]) -> int:
    """Serve until Ctrl-C; port= picks the port, open=false opens no browser."""
    defaults = {"paths.output": "outputs", "tracker.uri": "null", "tracker.experiment": "bertier"}
    chosen = parse_options("ui", words, port="5000", open="true", **defaults)
    port, is_opened = chosen.pop("port"), true_or_false("ui", "open", chosen.pop("open"))
    tracker = resolve(compose([f"{key}={value}" for key, value in chosen.items()])).tracker
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"run ui: port={port} is not a port (1 to 65535). Try: run ui port=5000")
    return serve_mlflow(tracker, output_folder(chosen["paths.output"]), int(port), say, is_opened=is_opened)
