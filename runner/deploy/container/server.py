"""Serves the bundle in this folder over HTTP with the standard library: POST /predict, GET /health, GET /metrics.

python server.py --port 8000                                               # on 127.0.0.1; --host 0.0.0.0 or ::: for all
curl 127.0.0.1:8000/predict -d '{"texts": ["a fine film"]}'

Every error is one line, {"error": ...}. SIGTERM ends it after the requests that have begun.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET6, SHUT_WR, socket

from monitor import CONTENT_TYPE, ID_HEADER, Monitor, log_line, request_id  # type: ignore[import-not-found]
from predict import PARTS, Model  # type: ignore[import-not-found]

MOST_TEXTS, MOST_BYTES, MOST_AT_ONCE, PATIENCE_S = 256, 1_000_000, 64, 30.0
MOST_DIGITS = 12  # of a Content-Length: int() refuses thousands
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")  # as the log has them; any other is `other`
PATHS = "ask POST /predict, GET /health or GET /metrics"
MOST_DISCARDED = 16_000_000  # bytes of a body that is too large, which are read before it is refused
BUSY, LINGER_S = b'{"error": "busy; ask again in a second"}', 2.0
BUSY_HEAD = f"HTTP/1.0 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {len(BUSY)}\r\n"
Request = socket | tuple[bytes, socket]  # what the standard library allows; of TCP always the first
Answer = dict[str, object]  # `prediction`, and what there is besides
ABOUT = Path(__file__).with_name("manifest.json")


class Refused(Exception):
    """A request that is not answered: the status and one line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Server(ThreadingHTTPServer):
    """One thread per connection, one model for all; a connection has one request."""

    daemon_threads, block_on_close, request_queue_size = False, True, 128

    def __init__(self, address: tuple[str, int], model: Model, about: dict[str, object]) -> None:
        self.model, self.about, self.lock = model, about, threading.Lock()
        self.places, self.refusals = threading.Semaphore(MOST_AT_ONCE), threading.Semaphore(MOST_AT_ONCE)
        facts = {"model": about["model"], "name": about["name"], "engine": "bundle"}
        self.monitor = Monitor(facts)
        if ":" in address[0]:
            self.address_family = AF_INET6
        super().__init__(address, Handler)

    def process_request(self, request: Request, client_address: object) -> None:
        """Answer a connection on a thread of its own, or say that too many are open."""
        if self.places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        identity = request_id(None)
        self.monitor.begin()
        self.monitor.end("other", 503, 0.0)
        print(log_line(identity, "other", "other", 503, 0.0), file=sys.stderr, flush=True)
        if isinstance(request, socket) and self.refusals.acquire(blocking=False):
            threading.Thread(target=self.refuse, args=(request, identity), daemon=True).start()
        else:
            self.shutdown_request(request)

    def refuse(self, request: socket, identity: str) -> None:
        """Say that too many connections are open.

        The request is read for a while: closing the connection before would reset it and lose the answer.
        """
        end = time.monotonic() + LINGER_S
        try:
            request.settimeout(LINGER_S)
            request.sendall(f"{BUSY_HEAD}Retry-After: 1\r\n{ID_HEADER}: {identity}\r\n\r\n".encode() + BUSY)
            request.shutdown(SHUT_WR)
            while time.monotonic() < end and request.recv(65536):
                pass
        except OSError:
            pass
        finally:
            self.shutdown_request(request)
            self.refusals.release()

    def process_request_thread(self, request: Request, client_address: object) -> None:
        """Answer, then free the place for the next connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()

    def handle_error(self, request: Request, client_address: object) -> None:
        """Print nothing: the client has gone, or was too slow."""

    def answer(self, question: object) -> list[Answer]:
        """Return the answers to the body of a request; Refused for a malformed one."""
        texts, pairs, truncate = read_question(question, self.model.reads)
        with self.lock:
            if not truncate:
                lengths = self.model.lengths(texts, pairs).tolist()
                if max(lengths) > self.model.max_length:
                    worst = f"text {lengths.index(max(lengths)) + 1} has {max(lengths):,} tokens"
                    known = f"this model reads {self.model.max_length}"
                    raise Refused(413, f'{worst}, {known}. Shorten it, or send "truncate": true')
            found: list[Answer] = self.model(texts, pairs)
        self.monitor.batch(len(texts))
        return found


def read_question(question: object, reads: int) -> tuple[list[str], list[str] | None, bool]:
    """The texts, the second texts of pairs, and may long ones be cut? Refused for the malformed body of a request."""
    if not isinstance(question, dict) or question.keys() - {"texts", "pairs", "truncate"}:
        raise Refused(422, 'other fields than expected. Expected {"texts": ["..."]}')
    texts, pairs = question.get("texts"), question.get("pairs")
    for name, column in [("texts", texts), *([] if pairs is None else [("pairs", pairs)])]:
        if not isinstance(column, list) or not column or not all(isinstance(text, str) for text in column):
            raise Refused(422, f'{name}: not a list of texts. Expected {{"{name}": ["..."]}}')
    assert isinstance(texts, list)
    truncate = question.get("truncate", False)
    if not isinstance(truncate, bool):
        raise Refused(422, "truncate: expected true or false")
    if len(texts) > MOST_TEXTS:
        raise Refused(413, f"{len(texts)} texts in one request, at most {MOST_TEXTS}. Split it up")
    if (reads == 2) != (pairs is not None) or len(pairs or texts) != len(texts):
        pairs_too = 'as many pairs as texts. Expected {"texts": ["..."], "pairs": ["..."]}'
        raise Refused(422, f"this model reads {pairs_too if reads == 2 else 'texts without pairs'}")
    return texts, pairs, truncate


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    texts: int | None = None  # in the request
    timeout = PATIENCE_S  # of each read
    path, headers = "", HTTPMessage()  # of a request that cannot be read

    def do_GET(self) -> None:
        """Answer /health and /metrics."""
        self.respond(self.get)

    def do_POST(self) -> None:
        """Answer /predict."""
        self.respond(self.post)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the standard library refuses, such as another method, as every other error is answered."""

        def refuse() -> tuple[str, bytes]:
            raise Refused(int(code), f"{(message or explain or 'not understood')[:200]}: {PATHS}")

        self.request_version = "HTTP/1.0"  # else a request that cannot be read has no headers in its answer
        self.respond(refuse)

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    def get(self) -> tuple[str, bytes]:
        """Return the content type and the body for a path."""
        if self.route == "/metrics":
            return CONTENT_TYPE, self.server.monitor.text().encode()
        if self.route != "/health":
            raise Refused(404, PATHS)
        about = {key: self.server.about[key] for key in ("model", "name", "task", "labels", "max_length")}
        model = self.server.model
        has_shares = model.labels and model.header["kind"] not in PARTS
        about |= {"reads": model.reads, "calibration": model.calibration.about() if has_shares else ""}
        return "application/json", json.dumps({"status": "ok", **about}).encode()

    def post(self) -> tuple[str, bytes]:
        """Return the content type and the body of the answers."""
        if self.route != "/predict":
            raise Refused(404, PATHS)
        size = self.headers.get("Content-Length", "")
        if not size.isdecimal():
            raise Refused(411, "the request does not say how long its body is (Content-Length)")
        is_possible = len(size) <= MOST_DIGITS
        if not is_possible or int(size) > MOST_BYTES:
            for _ in self.arriving(min(int(size), MOST_DISCARDED)) if is_possible else ():
                pass  # a client that is still sending would not see the answer
            raise Refused(413, f"the request has more than {MOST_BYTES:,} bytes. Split it up")
        try:
            question = json.loads(b"".join(self.arriving(int(size))).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"the body is not JSON: {error}") from error
        found = self.server.answer(question)
        self.texts = len(found)
        body = {"model": self.server.about["model"], "answers": found}
        return "application/json", json.dumps(body, ensure_ascii=True).encode()

    def arriving(self, size: int) -> Iterator[bytes]:
        """Yield the first `size` bytes of a body as they come; Refused where they do not come in time."""
        read, end = 0, time.monotonic() + PATIENCE_S
        try:
            while read < size:
                self.connection.settimeout(max(0.01, end - time.monotonic()))
                part = self.rfile.read1(min(size - read, 65536))
                if not part:
                    raise Refused(400, "the body ended early")
                read += len(part)
                yield part
        except TimeoutError as error:
            raise Refused(408, f"the body took more than {PATIENCE_S:g} s. Send it at once") from error
        except ConnectionError as error:
            raise Refused(400, "the body ended early") from error

    def respond(self, make: Callable[[], tuple[str, bytes]]) -> None:
        """Send an answer, or the line that says why there is none; count and log it."""
        began, identity = time.perf_counter(), request_id(self.headers.get(ID_HEADER))
        self.texts = None
        self.server.monitor.begin()
        status = 200
        try:
            kind, body = make()
        except Refused as refused:
            status, kind = refused.status, "application/json"
            body = json.dumps({"error": " ".join(str(refused).split())}).encode()
        except Exception as error:  # one bad request must not end the others
            status, kind, body = 500, "application/json", b'{"error": "this text could not be answered"}'
            print(f"id={identity} {error!r}", file=sys.stderr, flush=True)
        seconds = time.perf_counter() - began
        self.server.monitor.end(self.route, status, seconds)
        method = self.command if self.command in METHODS else "other"
        print(log_line(identity, method, self.route, status, seconds, self.texts), file=sys.stderr, flush=True)
        try:
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), (ID_HEADER, identity)):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)
        except OSError:  # the client has gone
            self.close_connection = True

    def version_string(self) -> str:
        """Return the name in the header Server, without versions."""
        return "bertier"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: `respond` has a line for each request."""


def address_of(host: str, port: int) -> str:
    """Return the beginning of an address; IPv6 addresses have brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_healthy(host: str, port: int) -> bool:
    """Does a server answer there? It is asked directly, also where the environment names a proxy."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{address_of(host, port)}/health", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def port_number(text: str) -> int:
    """Return a port; raise ArgumentTypeError if it is not one."""
    if not (text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text}: expected a number from 0 to 65535")
    return int(text)


def main(words: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C, then return 0; or 2, after one line, if nothing can be served."""
    parser = argparse.ArgumentParser(prog="server.py")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 or ::: any machine that reaches it can query it")
    parser.add_argument("--port", default=8000, type=port_number, help="0: any free one")
    parser.add_argument("--check", action="store_true", help="only check whether a server answers on that port")
    asked = parser.parse_args(words)
    if asked.check:
        return 0 if is_healthy(asked.host, asked.port) else 1
    try:
        server = Server((asked.host, asked.port), Model(), json.loads(ABOUT.read_text(encoding="utf-8")))
    except ModuleNotFoundError as error:
        print(f"server.py: the package {error.name} is missing. Try: pip install -r requirements.txt", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:  # a damaged or missing file, or a port that is taken
        print(f"server.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{server.about['name']}: {address_of(asked.host, server.server_address[1])}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()  # waits for the requests that have begun
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
