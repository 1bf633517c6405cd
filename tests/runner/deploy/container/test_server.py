"""The server of a container, as a process without torch: its answers, its errors, its end; and the Dockerfile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from runner.deploy.bundle.predict import Model
from runner.deploy.bundles import write_packed_bundle
from runner.deploy.exported import find_model
from tests.runner.deploy.runs import write_run

Process = tuple[str, subprocess.Popen[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("outputs")
    write_run(output, "dddd", family="dsn", readout={"name": "mean"}, is_packed=True)
    write_packed_bundle(find_model("dddd", output, "torch"), output / "docker", is_served=True)
    return output / "docker"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Process]:
    """The server and its address, in an environment without the variables of this one."""
    command = [sys.executable, "server.py", "--port", "0"]
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert found
    yield found[0], process
    process.kill()


def ask(address: str, body: Any, **headers: str) -> tuple[int, Any, str]:
    """Status, content and request id of an answer."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{address}/predict", sent, headers), timeout=30) as answer:
            return answer.status, json.load(answer), answer.headers["X-Request-ID"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers["X-Request-ID"]


def test_answers_are_those_of_the_bundle(server: Process, folder: Path) -> None:
    texts = ["a lovely film", "dull", ""]
    status, content, identity = ask(server[0], {"texts": texts}, **{"X-Request-ID": "mine-1"})
    assert status == 200 and content == {"model": "dddd", "answers": Model(folder)(texts)} and identity == "mine-1"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: ask(server[0], {"texts": [text]})[1]["answers"][0], texts * 8))
    assert found == content["answers"] * 8


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"texts": ', 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b'{"texts": ["\xff"]}', 400, "not JSON"),
        ({"texts": "a"}, 422, "not a list of texts"),
        ({"texts": []}, 422, "not a list of texts"),
        ({"texts": [5]}, 422, "not a list of texts"),
        ({"texts": 5}, 422, "not a list of texts"),
        ({"texts": ["a"], "pairs": "b"}, 422, "pairs: not a list of texts"),
        ({"texts": ["a"], "top": 3}, 422, "other fields"),
        ({"texts": ["a"], "pairs": ["b"]}, 422, "texts without pairs"),
        ({"texts": ["a"] * 257}, 413, "at most 256"),
        (b" " * 1_000_001, 413, "more than 1,000,000 bytes"),
        ({"texts": ["a", "so " * 99]}, 413, "this model reads 64. Shorten it"),
        ({"texts": ["so " * 99], "truncate": "yes"}, 422, "truncate: expected true or false"),
    ],
)
def test_a_malformed_request_is_one_line(server: Process, body: Any, status: int, said: str) -> None:
    found, content, _ = ask(server[0], body)
    assert found == status and list(content) == ["error"] and said in content["error"] and "\n" not in content["error"]


def test_metrics_and_health(server: Process, folder: Path) -> None:
    assert ask(server[0], {"texts": ["so " * 99], "truncate": True})[0] == 200
    with urllib.request.urlopen(f"{server[0]}/metrics", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b'bertier_requests_total{path="/predict",status="200"}' in answer.read()
    port = server[0].rpartition(":")[2]
    check = [sys.executable, "server.py", "--check", "--port"]
    assert subprocess.run([*check, port], cwd=folder).returncode == 0
    assert subprocess.run([*check, "9"], cwd=folder).returncode == 1


@pytest.mark.skipif(not socket.has_ipv6, reason="a system without IPv6")
def test_an_address_of_ipv6_is_served_and_checked(folder: Path) -> None:
    command = [sys.executable, "server.py", "--host", "::1", "--port"]
    with subprocess.Popen([*command, "0"], cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"http://\[::1\]:(\d+)\n", process.stdout.readline())
            assert found
            assert subprocess.run([*command, found[1], "--check"], cwd=folder).returncode == 0
        finally:
            process.terminate()


def test_the_check_asks_no_proxy(server: Process, folder: Path) -> None:
    """Docker passes the proxy of its settings to every container."""
    check = [sys.executable, "server.py", "--check", "--port", server[0].rpartition(":")[2]]
    environment = {"PATH": os.environ["PATH"], "http_proxy": "http://127.0.0.1:9"}
    assert subprocess.run(check, cwd=folder, env=environment).returncode == 0


@pytest.mark.parametrize("port", ["65536", "-1", "http", "9" * 5000])
def test_what_is_no_port_is_refused_without_a_traceback(folder: Path, port: str) -> None:
    command = [sys.executable, "server.py", f"--port={port}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2 and "expected a number from 0 to 65535" in done.stderr


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "BREW"])
def test_another_method_is_refused_as_every_other_request(server: Process, method: str) -> None:
    wanted = urllib.request.Request(f"{server[0]}/predict", method=method, headers={"X-Request-ID": f"by-{method}"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(wanted, timeout=30)
    found = refused.value
    assert (found.code, found.headers["X-Request-ID"]) == (501, f"by-{method}")
    body = found.read()
    assert body == b"" if method == "HEAD" else "ask POST /predict" in json.loads(body)["error"]
    with urllib.request.urlopen(f"{server[0]}/metrics", timeout=30) as answer:
        assert b'bertier_requests_total{path="/predict",status="501"}' in answer.read()


def raw(address: str, request: bytes) -> tuple[bytes, Any]:
    """The first line and the content of the answer to the bytes of a request."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as opened:
        opened.sendall(request)
        head, _, body = b"".join(iter(lambda: opened.recv(65536), b"")).partition(b"\r\n\r\n")
    assert b"X-Request-ID: " in head
    return head.split(b"\r\n")[0], json.loads(body)


def test_what_is_no_request_is_one_line(server: Process) -> None:
    status, content = raw(server[0], b"what is this\r\n\r\n")
    assert status.startswith(b"HTTP/1.0 400") and list(content) == ["error"]


def test_a_length_of_thousands_of_digits_is_too_large(server: Process) -> None:
    status, content = raw(server[0], b"POST /predict HTTP/1.0\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.0 413") and "more than 1,000,000 bytes" in content["error"]


def test_a_client_that_hangs_up_is_no_fault_of_the_server(server: Process) -> None:
    host, port = server[0].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as opened:
        opened.sendall(b"POST /predict HTTP/1.0\r\nContent-Length: 1000\r\n\r\n{")
        time.sleep(0.2)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset when it is closed
    time.sleep(0.2)
    with urllib.request.urlopen(f"{server[0]}/metrics", timeout=30) as answer:
        assert b'status="500"' not in answer.read()


def test_a_client_that_finds_no_place_is_told_so_and_counted(server: Process) -> None:
    host, port = server[0].removeprefix("http://").split(":")
    with ExitStack() as opened:
        for _ in range(64):
            opened.enter_context(socket.create_connection((host, int(port)), timeout=30))
        time.sleep(0.3)
        for texts in (["a lovely film"], ["so " * 5000] * 60):  # a few bytes, and more than a socket keeps
            status, content, identity = ask(server[0], {"texts": texts})
            assert status == 503 and content == {"error": "busy; ask again in a second"} and identity
    time.sleep(0.3)
    with urllib.request.urlopen(f"{server[0]}/metrics", timeout=30) as answer:
        assert b'bertier_requests_total{path="other",status="503"} 2' in answer.read()


def test_a_query_changes_no_path(server: Process) -> None:
    with urllib.request.urlopen(f"{server[0]}/health?x=1", timeout=30) as answer:
        assert json.load(answer)["status"] == "ok"


def test_sigterm_finishes_the_request_that_has_begun_and_refuses_new_ones(server: Process) -> None:
    """The last test of this file: it ends the server."""
    address, process = server
    host, port = address.removeprefix("http://").split(":")
    body = json.dumps({"texts": ["a lovely film"]}).encode()
    with socket.create_connection((host, int(port)), timeout=30) as begun:
        begun.sendall(b"POST /predict HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body))
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.4)
        begun.sendall(body)
        answer = b"".join(iter(lambda: begun.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.0 200") and b"prediction" in answer
    assert process.wait(timeout=30) == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{address}/health", timeout=5)
    assert process.stderr
    lines = process.stderr.read().splitlines()
    assert lines and all(re.match(r"\S+Z id=\S+ (GET|POST|HEAD|OPTIONS|PUT|other) \S+ \d{3} ", line) for line in lines)
    assert any("id=mine-1 POST /predict 200" in line and line.endswith("3 texts") for line in lines)


def test_the_dockerfile_holds_what_it_should(folder: Path) -> None:
    """A few rules of hadolint, and the whole of it where it is installed."""
    text = (folder / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    words = [line.split(None, 1)[0] for line in lines]
    assert words[0] == "FROM" and set(words) <= {
        "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT",
    }  # fmt: skip
    by_word = dict(zip(words, lines))
    assert re.fullmatch(r"FROM python:3\.\d+-slim\S*", by_word["FROM"]), "a small base of a named version"
    assert "--no-cache-dir" in by_word["RUN"] and "apt-get" not in text and "curl" not in by_word["RUN"]
    assert by_word["USER"] == "USER 10001" and words.index("USER") > max(i for i, w in enumerate(words) if w == "RUN")
    for word in ("ENTRYPOINT", "HEALTHCHECK"):
        assert json.loads(by_word[word][by_word[word].index("[") :])[:2] == ["python", "server.py"], (
            "no shell in between"
        )
    assert (folder / "requirements.txt").read_text(encoding="utf-8") == "numpy>=2\n", "no torch"
    if linter := shutil.which("hadolint"):
        assert subprocess.run([linter, folder / "Dockerfile"]).returncode == 0


def test_a_damaged_file_is_one_line(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "model.bin").write_bytes((folder / "model.bin").read_bytes()[:200])
    done = subprocess.run(
        [sys.executable, "server.py", "--port", "0"], cwd=tmp_path / "copy", capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("server.py: ") and "model.bin" in done.stderr


def test_a_plain_bundle_has_none_of_it(folder: Path) -> None:
    plain = folder.parent / "bundle"
    write_packed_bundle(find_model("dddd", folder.parent, "torch"), plain)
    more = {path.name for path in folder.iterdir()} - {path.name for path in plain.iterdir()} - {"__pycache__"}
    assert more == {"server.py", "monitor.py", "Dockerfile", ".dockerignore"}


def test_a_model_of_pairs_says_which_body_it_reads(folder: Path) -> None:
    code = 'from server import read_question; read_question({"texts": ["a", "b"], "pairs": ["c"]}, reads=2)'
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
    assert 'as many pairs as texts. Expected {"texts": ["..."], "pairs": ["..."]}' in done.stderr
