"""ASGI middleware of a server: ids, counts and a log of requests, and the host names that they may use."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.deploy.container.monitor import ID_HEADER, Monitor, log_line, request_id

STATE, TEXTS = "state", "texts"  # where the application says how many texts a request has
GONE = 499  # a client that went away before the answer, as nginx counts it


class Observed:
    """Passes requests on and records the responses. log: called with one line for each request; None for no log."""

    def __init__(self, app: ASGIApp, monitor: Monitor, log: Callable[[str], None] | None) -> None:
        self.app, self.monitor, self.log = app, monitor, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the events of the server's own life are passed on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), GONE
        name = ID_HEADER.lower().encode("ascii")
        given = next((value for key, value in scope["headers"] if key == name), b"")
        identity = request_id(given.decode("latin-1"))
        scope.setdefault(STATE, {})

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (name, identity.encode("ascii"))]
            await send(message)

        self.monitor.begin()
        try:
            await self.app(scope, receive, send_with_id)
        except asyncio.CancelledError:  # a second Ctrl-C, or a request that took too long after the first
            if status == GONE:
                ended = JSONResponse({"error": "the server ended before the answer. Ask again"}, 503)
                await ended(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - began
            self.monitor.end(scope["path"], status, seconds)
            if self.log:
                texts = scope[STATE].get(TEXTS)
                self.log(log_line(identity, scope["method"], scope["path"], status, seconds, texts))


class KnownHosts:
    """Refuses requests to other host names, as any web page could make by DNS rebinding. hosts: ["*"] for any."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http" and "*" not in self.hosts:
            asked = Headers(scope=scope).get("host", "").partition(":")[0].lower()
            if asked not in self.hosts:
                told = f"the header Host names another host than {' or '.join(self.hosts)}. Ask one of these"
                await JSONResponse({"error": told}, 400)(scope, receive, send)
                return
        await self.app(scope, receive, send)
