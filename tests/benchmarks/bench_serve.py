"""make bench-serve: 32 clients query a server for a minute; checks latency, status codes and memory growth."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.runner.deploy.runs import write_run

CLIENTS, SECONDS = 32, float(os.environ.get("SERVE_SECONDS", "60"))
# Limits of the 99th percentile, and of memory growth after a warm-up, in which oneDNN caches code for up to 1,024
# batch shapes (25 MB here).
MOST_TIMES_MEDIAN, MOST_GROWTH = 20, 0.03
WORDS = ["the", "a", "film", "was", "very", "dull", "lovely", "ünïcode", "猫"]
Answers = list[tuple[int, float]]  # status, seconds


@pytest.fixture(scope="module", params=["encoder", "bag of words"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host and port of a server in a separate process."""
    output = tmp_path_factory.mktemp("served")
    bag = {} if request.param == "encoder" else {"family": "dsn", "readout": {"name": "mean"}, "is_packed": True}
    write_run(output, "aaaa", **bag)
    command = [sys.executable, "-m", "runner.cli", "serve", "aaaa", "port=0", f"paths.output={output}"]
    with (output / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout
    found = re.search(r"http://(127\.0\.0\.1:\d+)", process.stdout.readline())
    assert found
    yield found[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def memory(address: str) -> float:
    """The resident memory of the server in MB."""
    connection = HTTPConnection(address, timeout=60)
    connection.request("GET", "/metrics")
    found = re.search(rb"process_resident_memory_bytes (\d+)", connection.getresponse().read())
    assert found
    return int(found[1]) / 1e6


def ask(address: str, seed: int, until: float) -> Answers:
    """Send requests on one connection until `until`, a time of time.monotonic; return their statuses and latencies."""
    rng, connection, found = random.Random(seed), HTTPConnection(address, timeout=60), Answers()
    while time.monotonic() < until:
        texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 16))) for _ in range(rng.choice((1, 1, 1, 8)))]
        began = time.perf_counter()
        connection.request("POST", "/predict", json.dumps({"texts": texts}))
        answer = connection.getresponse()
        answer.read()
        found.append((answer.status, time.perf_counter() - began))
    connection.close()
    return found


def load(address: str, seconds: float) -> Answers:
    """The statuses and latencies of all clients, without each one's first request."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = pool.map(lambda seed: ask(address, seed, until), range(CLIENTS))
        return [answer for some in asked for answer in some[1:]]  # the first one waits until all have connected


def test_thirty_two_clients_are_answered_evenly_and_memory_stays_flat(served: str, tmp_path: Path) -> None:
    load(served, SECONDS / 2)
    before = memory(served)
    found = load(served, SECONDS)
    after, seconds = memory(served), sorted(seconds for _, seconds in found)
    p50, p99 = seconds[len(seconds) // 2], seconds[int(0.99 * len(seconds))]
    print(f"\n{len(found):,} requests of {CLIENTS} clients in {SECONDS:g} s, {dict(Counter(s for s, _ in found))}")
    print(
        f"  p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms ({p99 / p50:.1f} x), memory {before:.0f} to {after:.0f} MB"
    )
    assert {status for status, _ in found} == {200}
    assert p99 < MOST_TIMES_MEDIAN * p50
    assert after < (1 + MOST_GROWTH) * before
