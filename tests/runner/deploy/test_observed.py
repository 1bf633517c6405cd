"""Every request has an id, a count and a line, whatever becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("fastapi")

import contextlib

from starlette.types import Message, Receive, Scope, Send

from runner.deploy.container.monitor import Monitor
from runner.deploy.observed import GONE, STATE, TEXTS, Observed


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers /predict; fails before an answer, or after half of one, where the path says so."""
    if scope["path"] == "/early":
        raise RuntimeError("no")
    if scope["path"] == "/ended":
        raise asyncio.CancelledError
    scope[STATE][TEXTS] = 3
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"x"})


def ask(path: str, *headers: tuple[bytes, bytes]) -> tuple[list[Any], list[str], str]:
    """The messages of an answer, the lines of the log, and the counts."""
    sent: list[Message] = []
    lines: list[str] = []
    monitor = Monitor({"model": "x"})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "path": path, "method": "POST", "headers": list(headers)}
    with contextlib.suppress(RuntimeError):
        asyncio.run(Observed(answer, monitor, lines.append)(scope, receive, send))
    return sent, lines, monitor.text()


def test_the_id_of_the_client_comes_back_in_the_answer_and_in_the_log() -> None:
    sent, (line,), counts = ask("/predict", (b"x-request-id", b"trace-7"))
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"trace-7")]
    assert " id=trace-7 POST /predict 200 " in line and line.endswith(" 3 texts")
    assert 'bertier_requests_total{path="/predict",status="200"} 1' in counts and "bertier_requests_open 0" in counts


def test_an_id_that_could_forge_a_line_is_replaced() -> None:
    sent, (line,), _ = ask("/predict", (b"x-request-id", b"a\nid=forged"))
    assert b"forged" not in sent[0]["headers"][-1][1] and "forged" not in line


def test_a_request_without_an_answer_is_counted_and_closed() -> None:
    sent, (line,), counts = ask("/early")
    assert (
        not sent and f" {GONE} " in line and "bertier_errors_total 1" in counts and "bertier_requests_open 0" in counts
    )


def test_other_events_are_passed_on() -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing() -> Message:
        return {}

    async def ignore(message: Message) -> None:
        return None

    asyncio.run(Observed(inner, Monitor({}), None)({"type": "lifespan"}, nothing, ignore))
    assert seen == ["lifespan"]


def test_a_server_that_ends_at_once_says_so_to_open_requests() -> None:
    sent, (line,), _ = ask("/ended")
    assert sent[0]["status"] == 503 and b"the server ended before the answer" in sent[1]["body"]
    assert " 503 " in line
