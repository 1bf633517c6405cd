"""Counts the requests to a server and gives each an id: /metrics in the text format of Prometheus, lines for a log.

Standard library only: `run serve` and the server of a container share it. Labels have few values, whatever is asked.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PATHS = ("/", "/predict", "/health", "/metrics", "/openapi.json")  # all others are counted as `other`
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # upper ends of buckets
TEXTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
ID_HEADER = "X-Request-ID"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # of a client; another one could forge lines of a log


def request_id(given: str | None) -> str:
    """Return the id that a client gave its request, or a random one."""
    return given if given and GIVEN_ID.fullmatch(given) else uuid.uuid4().hex[:16]


class Histogram:
    """How many values lie below each of some limits; not thread-safe."""

    def __init__(self, limits: Sequence[float]) -> None:
        self.limits, self.counts, self.total = limits, [0] * (len(limits) + 1), 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.limits, value)] += 1
        self.total += value

    def lines(self, name: str, labels: str = "") -> Iterator[str]:
        """Yield the lines of a metric; labels: those of every line, as `path="/"`."""
        below = 0
        for limit, count in zip([*map(str, self.limits), "+Inf"], self.counts):
            below += count
            yield f'{name}_bucket{{{labels}{"," if labels else ""}le="{limit}"}} {below}'
        braced = f"{{{labels}}}" if labels else ""
        yield f"{name}_sum{braced} {self.total:.9g}"
        yield f"{name}_count{braced} {below}"


class Monitor:
    """The counts of one server since its start, for any number of threads. facts: labels of bertier_model_info."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        self.facts, self.started = dict(facts), time.time()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, Histogram] = {}
        self._batches, self._texts, self._open = Histogram(TEXTS), 0, 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Count a request that has arrived."""
        with self._lock:
            self._open += 1

    def end(self, path: str, status: int, seconds: float) -> None:
        """Count the answer to a request."""
        path = path if path in PATHS else "other"
        with self._lock:
            self._open -= 1
            self._requests[path, status] += 1
            self._seconds.setdefault(path, Histogram(SECONDS)).add(seconds)

    def batch(self, texts: int) -> None:
        """Count texts that the model answered at once."""
        with self._lock:
            self._texts += texts
            self._batches.add(texts)

    def text(self, waiting: int = 0) -> str:
        """Return the content of /metrics. waiting: texts that wait for the model."""
        with self._lock:
            return "\n".join([*self._lines(waiting), ""])

    def _lines(self, waiting: int) -> Iterator[str]:
        facts = ",".join(f'{name}="{escaped(value)}"' for name, value in self.facts.items())
        yield from _head("bertier_model_info", "gauge", "The model that answers.")
        yield f"bertier_model_info{{{facts}}} 1"
        yield from _head("bertier_requests_total", "counter", "Requests answered, by path and status.")
        for (path, status), count in sorted(self._requests.items()):
            yield f'bertier_requests_total{{path="{path}",status="{status}"}} {count}'
        yield from _head("bertier_errors_total", "counter", "Requests answered with a status of 400 or above.")
        yield f"bertier_errors_total {sum(n for (_, status), n in self._requests.items() if status >= 400)}"
        yield from _head("bertier_request_seconds", "histogram", "From the arrival of a request to its answer.")
        for path, seconds in sorted(self._seconds.items()):
            yield from seconds.lines("bertier_request_seconds", f'path="{path}"')
        yield from _head("bertier_texts_total", "counter", "Texts, or pairs of texts, that the model answered.")
        yield f"bertier_texts_total {self._texts}"
        yield from _head("bertier_batch_texts", "histogram", "Texts that the model answered at once.")
        yield from self._batches.lines("bertier_batch_texts")
        yield from _head("bertier_requests_open", "gauge", "Requests that are being answered.")
        yield f"bertier_requests_open {self._open}"
        yield from _head("bertier_texts_waiting", "gauge", "Texts that wait for the model.")
        yield f"bertier_texts_waiting {waiting}"
        yield from _head("process_start_time_seconds", "gauge", "Start of the server, in seconds since 1970.")
        yield f"process_start_time_seconds {self.started:.3f}"
        if memory := resident_bytes():
            yield from _head("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.")
            yield f"process_resident_memory_bytes {memory}"


def _head(name: str, kind: str, meaning: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"


def escaped(value: str) -> str:
    """Return the value of a label inside its quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def resident_bytes() -> int | None:
    """Return the resident memory of this process; None if the system does not report it (Linux does)."""
    try:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return 1024 * int(found[1]) if found else None


def log_line(identity: str, method: str, path: str, status: int, seconds: float, texts: int | None = None) -> str:
    """Return the log line of a request, without its texts.

    For example `2026-11-26T20:15:00Z id=1f0c POST /predict 200 1.3 ms 2 texts`.
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    said = f"{now} id={identity} {method} {path if path in PATHS else 'other'} {status} {1000 * seconds:.1f} ms"
    return said if texts is None else f"{said} {texts} text{'' if texts == 1 else 's'}"
