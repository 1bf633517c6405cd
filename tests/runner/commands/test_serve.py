"""`run serve` as a command: its address, its end, and what it refuses before a model is loaded."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from runner.commands.serve import bind, main, milliseconds
from runner.errors import ConfigError
from runner.machine import extras
from tests.conftest import REPO
from tests.runner.deploy.runs import write_run


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a BERT for texts (aaaa)."""
    folder = tmp_path_factory.mktemp("outputs")
    write_run(folder, "aaaa")
    return folder


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return str(answer.read().decode())


def test_sigterm_ends_the_server_after_the_request_that_has_begun(tmp_path: Path) -> None:
    write_run(tmp_path, "dddd", family="dsn", readout={"name": "mean"}, is_packed=True)
    command = [sys.executable, "-m", "runner.cli", "serve", "dddd", "port=0", f"paths.output={tmp_path}"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout and process.stderr
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found
        body = json.dumps({"texts": ["a lovely film"]}).encode()
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=30) as begun:
            head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: last-1\r\n"
            begun.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(urllib.error.URLError):
                get(f"{found[0]}/health")
            begun.sendall(body[5:])
            answer = b"".join(iter(lambda: begun.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200") and b"prediction" in answer
        assert process.wait(timeout=30) == 0
        assert re.fullmatch(r"\S+Z id=last-1 POST /predict 200 \S+ ms 1 text\n", process.stderr.read())
    finally:
        process.kill()


@pytest.mark.parametrize("host", ["::1", "::", "localhost.localdomain.none", "198.51.100.7"])
def test_a_host_that_cannot_be_served_on_is_refused_with_one_that_can(host: str, output: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"host={host} ") + ".* Try: host=127.0.0.1 "):
        main(["aaaa", f"host={host}", "port=0", f"paths.output={output}"])


def test_the_printed_address_is_answered_at_localhost(tmp_path: Path) -> None:
    write_run(tmp_path, "dddd", family="dsn", readout={"name": "mean"}, is_packed=True)
    words = ["serve", "dddd", "host=localhost", "port=0", f"paths.output={tmp_path}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "runner.cli", *words], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1(:\d+)", process.stdout.readline())
        assert found
        for address in (found[0], f"http://localhost{found[1]}"):
            assert json.loads(get(f"{address}/health"))["status"] == "ok"
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(urllib.request.Request(f"{found[0]}/health", headers={"Host": "evil.example"}))
    finally:
        process.kill()


def test_a_taken_port_and_a_missing_extra_are_refused(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match=r"in use.* Try: port=0"):
        main(["aaaa", f"port={taken.getsockname()[1]}", f"paths.output={output}"])
    with pytest.raises(ConfigError, match="port=70000: expected a whole number, 0 to 65,535"):
        main(["aaaa", "port=70000", f"paths.output={output}"])
    monkeypatch.setitem(extras.MODULES, "serve", ("not_there_at_all",))
    with pytest.raises(ConfigError, match=r"pip install 'bertier\[serve\]'"):
        main(["aaaa", f"paths.output={output}"])


def test_only_this_machine_reaches_a_loopback_address() -> None:
    for host, is_local in (("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)):
        listening, found = bind(host, 0)
        with listening:
            assert found is is_local, host


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "fast"])
def test_a_promise_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"max_ms={text}: expected milliseconds per text, above 0")):
        milliseconds(text)


def test_one_setting_at_most_chooses_the_lengths(output: Path) -> None:
    with pytest.raises(ConfigError, match=r"length= and max_ms= both say which lengths are computed"):
        main(["aaaa", "length=0.5", "max_ms=3", "port=0", f"paths.output={output}"])
