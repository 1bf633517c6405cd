"""`run ui`: MLflow's web page with the recorded runs, reachable from this machine only.

The server runs in its own session, so that one signal ends it together with its workers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

from runner.sanitize import mask
from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.store import artifact_root, ensure_store
from runner.track.sync_command import sync_command
from runner.track.uri import is_server, resolve_uri, sqlite_path
from runner.track.view import DIRECT, common_scores, write_view

HOST = "127.0.0.1"
LOG = "mlflow-ui.log"
PORTS_TRIED = 20
LAST_PORT = 65535
READY_S = 90.0  # seconds; about 8 on an idle machine
STOP_S = 5.0


def serve_mlflow(
    settings: TrackerSettings, output: Path, port: int, notify: Callable[[str], None], *, is_opened: bool = False
) -> int:
    """Show the list of runs until Ctrl-C and return the exit code; for a tracking server, only print its address.

    port: the first one tried, 0 for any. is_opened: open the list in the browser, if there is a screen.
    Raises TrackError if the store is unusable or the server does not start.
    """
    uri = resolve_uri(settings, output)
    if is_server(uri):
        notify(f"The runs are mirrored to {mask(uri)}: open that address.")
        return 0
    notify("Starting MLflow, which takes some seconds ...")
    database = sqlite_path(uri)
    if database is not None:
        if not database.exists():
            notify(
                f"No runs in {output} yet. Try: run demo, or {sync_command(settings, output)} if there are run folders"
            )
        ensure_store(database, sync_command(settings, output))
    free = free_port(port)
    if port and free != port:
        notify(f"Port {port} is taken, using {free}.")
    try:
        with _stoppable(), _server(uri, database, output, free) as process:
            _wait_until_ready(process, free, output / LOG)
            address = f"http://{HOST}:{free}"
            shown = _list_of_runs(address, settings.experiment, output) or address
            notify(f"MLflow: {shown}  (Ctrl-C ends it)")
            if is_opened and has_screen():
                webbrowser.open(shown)
            return process.wait()
    except KeyboardInterrupt:
        return 0


def _list_of_runs(address: str, experiment: str, output: Path) -> str:
    """Return the address of the experiment's list with our columns; "" if the view cannot be written."""
    try:
        return write_view(address, experiment, common_scores(output))
    except (OSError, ValueError, KeyError):  # another version of MLflow: use its default view
        return ""


def has_screen() -> bool:
    """Return whether a graphical browser can be opened: one in the terminal would block it."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def build_command(port: int, database: Path | None) -> list[str]:
    """Return the server's command line, without the store's address, because all users can see arguments."""
    options = ["--host", HOST, "--port", str(port), "--workers", "1"]
    command = [sys.executable, "-P", "-m", "mlflow", "server", *options]
    return command + (["--default-artifact-root", artifact_root(database)] if database else [])


def build_environment(uri: str) -> dict[str, str]:
    """Return the server's environment: the store's address, with features that the page does not need turned off."""
    return {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # workers for features that are not used here
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OMP_NUM_THREADS": "1",
    }


def free_port(first: int) -> int:
    """Return the first free port from `first` on at 127.0.0.1; 0 gives any free one."""
    end = min(first + PORTS_TRIED, LAST_PORT + 1)
    for port in range(first, end) if first else [0]:
        with socket.socket() as probe:
            # As in the server: a port still in TIME_WAIT after the last `run ui` counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise TrackError(f"ports {first} to {end - 1} are all taken. Try: run ui port=0")


@contextlib.contextmanager
def _server(uri: str, database: Path | None, output: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server; end it and its workers on leaving the block."""
    output.mkdir(parents=True, exist_ok=True)
    with (output / LOG).open("wb") as log:
        process = subprocess.Popen(
            build_command(port, database),
            env=build_environment(uri),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):  # all of them have ended already
            os.killpg(process.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            DIRECT.open(f"http://{HOST}:{port}/health", timeout=2).close()
            return
        time.sleep(0.1)
    lines = mask(log.read_text(encoding="utf-8", errors="replace")).strip().splitlines()
    what = f"ended with exit code {process.returncode}" if process.poll() is not None else "does not answer"
    raise TrackError("\n".join([f"the MLflow server {what}; the end of {log}:", *lines[-5:]]))


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Make SIGTERM end `run ui` like Ctrl-C, so that no server is left running."""

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
