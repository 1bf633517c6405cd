from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.track.errors import TrackError
from runner.track.settings import TrackerSettings
from runner.track.sync import sync_run
from runner.track.ui import build_command, build_environment, free_port, serve_mlflow
from tests.runner.track.folders import state, write_run

SERVE = """
import sys
from pathlib import Path
from runner.track import ui
from runner.track.settings import TrackerSettings
from runner.track.ui import serve_mlflow
if len(sys.argv) > 2:
    ui.build_command = lambda port, database: [sys.executable, "-c", sys.argv[2], "--port", str(port), "--"]
sys.exit(serve_mlflow(TrackerSettings(), Path(sys.argv[1]), 0, lambda line: print(line, flush=True)))
"""

# In place of the server: a process that answers that it is well, and has a worker that does not hear SIGTERM.
STAND_IN = """
import http.server, os, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
class Well(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Well).serve_forever()
"""


def fetch(address: str, body: Mapping[str, object] | None = None) -> str:
    sent = json.dumps(body).encode() if body else None
    request = urllib.request.Request(address, data=sent, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def test_the_server_is_for_this_machine_and_its_arguments_hold_no_secret() -> None:
    uri = "postgresql://me:secret@db/mlflow"
    command = build_command(5001, None)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5001"
    assert "secret" not in " ".join(command)
    assert build_environment(uri)["MLFLOW_BACKEND_STORE_URI"] == uri


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) < port + 20


def test_the_last_port_is_not_left_upwards() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        with pytest.raises(TrackError, match="ports 65535 to 65535 are all taken"):
            free_port(65535)


def test_a_remote_server_is_only_named(tmp_path: Path) -> None:
    told: list[str] = []
    assert serve_mlflow(TrackerSettings(uri="http://me:secret@host:5000"), tmp_path, 5000, told.append) == 0
    assert told == ["The runs are mirrored to http://***@host:5000: open that address."]
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store_is_told_before_a_server_starts(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database at all, only bytes" * 100)
    with pytest.raises(TrackError, match="is damaged"):
        serve_mlflow(TrackerSettings(), tmp_path, 0, print)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks at sockets through /proc")
def test_the_page_shows_the_recorded_run_on_loopback_only_and_ends_with_all_its_processes(output: Path) -> None:
    folder = write_run(output / "abc")
    sync_run(folder, TrackerSettings())
    process, page, port = served(output)
    try:
        assert "<title>MLflow</title>" in fetch(page)
        experiment = json.loads(fetch(f"{page}/api/2.0/mlflow/experiments/get-by-name?experiment_name=bertier"))
        tags = {tag["key"]: tag["value"] for tag in experiment["experiment"]["tags"]}
        assert json.loads(tags["mlflow.sharedViewState.bertier"])["orderByKey"] == "metrics.`test/accuracy`"
        asked = {"experiment_ids": [experiment_of(page)], "filter": "tags.identity = 'abc'"}
        (run,) = json.loads(fetch(f"{page}/api/2.0/mlflow/runs/search", asked))["runs"]
        assert {"key": "model", "value": "dsn"} in run["data"]["tags"]
        record = fetch(f"{page}/get-artifact?path=run/record.json&run_uuid={state(folder)['run_id']}")
        assert json.loads(record)["identity"] == "abc"
        assert listening(port) == {"0100007F"}  # 127.0.0.1
    finally:
        process.send_signal(signal.SIGINT)
    assert_ended(process, page, port)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="looks at sockets through /proc")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_no_worker_of_a_server_is_left_that_does_not_hear_a_signal(output: Path, ending: signal.Signals) -> None:
    process, page, port = served(output, STAND_IN)
    assert len(processes_with(f"--port\0{port}\0")) == 2
    process.send_signal(ending)
    assert_ended(process, page, port)


def test_a_proxy_that_the_environment_names_is_not_asked(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    process, _, _ = served(output, STAND_IN)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


def served(output: Path, *stand_in: str) -> tuple[subprocess.Popen[str], str, int]:
    """A process that serves MLflow, or the stand-in, once it answers; its address and its port."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(output), *stand_in], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline().startswith("Starting MLflow")
    found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert found, (output / "mlflow-ui.log").read_text()
    return process, found[0], int(found[1])


def assert_ended(process: subprocess.Popen[str], page: str, port: int) -> None:
    assert process.wait(timeout=30) == 0
    assert listening(port) == set()
    assert processes_with(f"--port\0{port}\0") == []
    with pytest.raises(urllib.error.URLError):
        fetch(page)


def experiment_of(page: str) -> str:
    answer = fetch(f"{page}/api/2.0/mlflow/experiments/get-by-name?experiment_name=bertier")
    return str(json.loads(answer)["experiment"]["experiment_id"])


def listening(port: int) -> set[str]:
    """Return the local addresses, in the kernel's hex, on which somebody listens at this port."""
    lines = [
        *Path("/proc/net/tcp").read_text().splitlines()[1:],
        *Path("/proc/net/tcp6").read_text().splitlines()[1:],
    ]
    rows = [line.split() for line in lines]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}


def processes_with(text: str) -> list[str]:
    """Return the processes whose command line contains the text."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
        except OSError:  # it ended meanwhile
            continue
        if text in command:
            found.append(process.name)
    return found
