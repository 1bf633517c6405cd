"""Load the server with 32 clients, one request in twenty malformed, and with hostile ones. Prints the measurements."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPO
from tests.faults.fuzzing import SHARE
from tests.runner.deploy.runs import write_run

CLIENTS, REQUESTS = 32, max(320, round(10_000 * SHARE))
MALFORMED = 0.05
WORDS = ["the", "a", "film", "was", "very", "dull", "lovely", "ünïcode", "猫", "\u202e", "<b>", "=1+1"]
BAD: list[bytes] = [
    b"", b"{", b"null", b"[]", b'"texts"', b'{"texts": ', b'{"texts": ["\xff"]}', b'{"texts": ["\\ud800"]}',
    b'{"texts": []}', b'{"texts": [1]}', b'{"texts": [null]}', b'{"texts": "a"}', b'{"texts": ["a"], "pairs": ["b"]}',
    b"\x00" * 100, b"[" * 100_000, b'{"texts":' + b"[" * 5000, b'{"texts": ["a"], "truncate": 1e999}',
    b'{"texts": [' + b"9" * 10_000 + b"]}", json.dumps({"texts": ["a"] * 300}).encode(),
    json.dumps({"texts": ["so " * 900]}).encode(), b'{"texts": ["a"], "<x>": 1}',
    b'{"a":' * 3000 + b"1" + b"}" * 3000, b"\xef\xbb\xbf{}", b"PK\x03\x04", b"texts=a",
]  # fmt: skip


@dataclass(frozen=True)
class Server:
    """A served run as a process."""

    port: int
    pid: int

    def memory(self) -> float:
        """Return the resident memory in MB."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) / 1024

    def ask(self, body: bytes) -> int:
        """Return the HTTP status of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        return status

    def raw(self, sent: bytes, patience: float = 10.0) -> bytes:
        """Send bytes that need not be HTTP and return the reply; b"" when the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(65536)
            except (TimeoutError, ConnectionError):
                return b""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    output = tmp_path_factory.mktemp("served")
    write_run(output, "aaaa")
    command = [sys.executable, "-m", "runner.cli", "serve", "aaaa", "port=0", f"paths.output={output}"]
    said = tmp_path_factory.mktemp("said") / "err.txt"
    with said.open("w") as errors:
        process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout
    found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
    assert found, said.read_text()
    try:
        yield Server(int(found[1]), process.pid)
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert "Traceback" not in said.read_text(), said.read_text()


def client(server: Server, number: int, count: int) -> list[tuple[bool, int, float]]:
    """Yield what one client saw on one connection: was the request malformed, the status, the seconds."""
    draw, seen = random.Random(number), []
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for _ in range(count):
        malformed = draw.random() < MALFORMED
        texts = [" ".join(draw.choices(WORDS, k=draw.randint(1, 30))) for _ in range(draw.choice([1, 1, 1, 4]))]
        body = draw.choice(BAD) if malformed else json.dumps({"texts": texts, "truncate": True}).encode()
        begun = time.perf_counter()
        connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        seen.append((malformed, answer.status, time.perf_counter() - begun))
        assert list(content) == ["error"] if malformed else len(content["answers"]) == len(texts)
    connection.close()
    return seen


def test_many_clients_one_request_in_twenty_malformed(server: Server) -> None:
    def storm(requests: int) -> list[tuple[bool, int, float]]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            each = [pool.submit(client, server, number, -(-requests // CLIENTS)) for number in range(CLIENTS)]
            return [one for future in each for one in future.result()]

    storm(max(CLIENTS * 10, REQUESTS // 5))  # until its pools and caches are as large as they get
    before, begun = server.memory(), time.perf_counter()
    seen = storm(REQUESTS)
    spent, after = time.perf_counter() - begun, server.memory()
    good = np.array([1000 * seconds for malformed, _, seconds in seen if not malformed])
    p50, p99 = np.percentile(good, [50, 99])
    print(f"\n{len(seen):,} requests of {CLIENTS} clients in {spent:.1f} s: p50 {p50:.1f} ms, p99 {p99:.1f} ms; "
          f"resident {before:.1f} MB before, {after:.1f} MB after; load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print("status:", dict(Counter((status, "malformed" if bad else "well formed") for bad, status, _ in seen)))
    assert {status for bad, status, _ in seen if not bad} == {200}
    assert all(400 <= status < 500 for bad, status, _ in seen if bad)
    assert after < before * 1.05 + 5


def test_clients_that_mean_harm_get_no_5xx_and_hold_nobody_up(server: Server) -> None:
    before = server.memory()
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
    attacks = {
        "a body too large": head + b"Content-Length: 100000000\r\n\r\n" + b"a" * 2_000_000,
        "an endless body": head
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"fffff\r\n"
        + b"a" * 0xFFFFF
        + b"\r\nfffff\r\n",
        "a negative length": head + b"Content-Length: -5\r\n\r\n{}",
        "two lengths": head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        "length and chunks": head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "no length": head + b"\r\n",
        "a wrong type": head + b"Content-Type: application/x-python-pickle\r\nContent-Length: 2\r\n\r\n{}",
        "a long header": head + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n",
        "many headers": head + b"".join(b"X%d: a\r\n" % i for i in range(20_000)) + b"\r\n",
        "a header with NUL": head + b"X: a\x00b\r\n\r\n",
        "a split header": head + b"X: a\nSet-Cookie: b\r\n\r\n",
        "a long path": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a path upwards": b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "no host": b"GET /health HTTP/1.1\r\n\r\n",
        "another host": b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "another method": b"DELETE /predict HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "an unknown method": b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "another version": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "nothing": b"",
    }
    found = {name: server.raw(sent).split(b"\r\n")[0].decode("latin-1") for name, sent in attacks.items()}
    print("\n" + "\n".join(f"{name}: {line or 'closed'}" for name, line in found.items()))
    assert not [name for name, line in found.items() if re.match(r"HTTP/\d\.\d 5", line)]
    assert b"root:" not in server.raw(attacks["a path upwards"])
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for number, connection in enumerate(slow):
        connection.sendall(head if number % 2 else head + b'Content-Length: 99\r\n\r\n{"texts"')
    begun = time.perf_counter()
    assert server.ask(b'{"texts": ["a lovely film"]}') == 200
    print(f"beside 200 slow clients: answered in {1000 * (time.perf_counter() - begun):.0f} ms")
    for connection in slow:
        connection.close()
    assert server.ask(b'{"texts": ["a lovely film"]}') == 200
    print(f"resident {before:.1f} MB before, {server.memory():.1f} MB after")
    assert server.memory() < before * 1.1 + 10
