"""`run serve ID`: a model over HTTP until Ctrl-C, on this machine only unless `host` says otherwise."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import sys
from functools import partial

from runner.commands.options import output_folder, parse_options, split_run, true_or_false, whole_number
from runner.commands.promise import PROMISE_OPTIONS, check_promised_length, promise_to_keep, wanted_promise
from runner.deploy.budgets import find_model_at, lengths_entry, share_of
from runner.deploy.exported import ExportedModel
from runner.deploy.promise_text import sentences
from runner.errors import ConfigError
from runner.machine.extras import require_extra
from runner.sanitize import say

PATIENCE_S = 40  # to finish open requests after a signal to stop: a body may take 30 s
BACKLOG = 2048  # connections that wait to be accepted
OTHER_HOSTS = "Try: host=127.0.0.1 (for this machine only), or host=0.0.0.0 (for all that reach it)"


def main(words: list[str]) -> int:
    """Serve until Ctrl-C, then return 0."""
    source, rest = split_run("serve", words)
    defaults = {
        "port": "8000", "host": "127.0.0.1", "engine": "auto", "threads": "1", "batch_size": "32",
        "log": "true", "length": "", "max_ms": "", "paths.output": "outputs", **PROMISE_OPTIONS,
    }  # fmt: skip
    chosen = parse_options("serve", rest, **defaults)
    port = whole_number("serve", "port", chosen["port"], 0, 65535)
    threads = whole_number("serve", "threads", chosen["threads"], 1, 1024)
    size = whole_number("serve", "batch_size", chosen["batch_size"], 1, 4096)
    is_logged = true_or_false("serve", "log", chosen["log"])
    wanted = wanted_promise("serve", chosen)
    length, max_ms = share_of("serve", chosen["length"]), milliseconds(chosen["max_ms"])
    check_promised_length("serve", wanted, length=length, max_ms=max_ms)
    if length is not None and max_ms is not None:
        raise ConfigError("run serve: length= and max_ms= both say which lengths are computed. Leave one out")
    require_extra("serve", "run serve")
    exported = find_model_at(source, output_folder(chosen["paths.output"]), chosen["engine"], length)
    if max_ms is not None:
        refuse_sounds(exported, max_ms)
        lengths_entry(exported)  # before torch is loaded
    promise = promise_to_keep(exported, wanted)
    listening, is_local = bind(chosen["host"], port)
    with listening:
        import uvicorn

        from runner.deploy.service import load_app  # late: needs the packages of serve

        hosts = ["localhost", listening.getsockname()[0]] if is_local else ["*"]
        log = partial(say, stream=sys.stderr) if is_logged else None
        app = load_app(
            exported, threads, batch_size=size, hosts=hosts, log=log, promise=promise, max_ms=max_ms, tell=say
        )
        warning = "" if is_local else "; any machine that can reach this address can use it"
        address = "http://{}:{}".format(*listening.getsockname()[:2])
        say(f"{exported.name}: {address}  (Ctrl-C ends it{warning})")
        for sentence in sentences(promise) if promise else ():
            say(sentence)
        with contextlib.suppress(KeyboardInterrupt):
            config = uvicorn.Config(
                app, log_level="warning", server_header=False, timeout_graceful_shutdown=PATIENCE_S, backlog=BACKLOG,
                lifespan="off",  # there is nothing to open or close, and a second Ctrl-C would show its traceback
            )  # fmt: skip
            uvicorn.Server(config).run(sockets=[listening])
    return 0


def refuse_sounds(exported: ExportedModel, max_ms: float) -> None:
    """Raise ConfigError for a model of sounds: lengths are timed on texts."""
    if exported.reads_sounds:
        raise ConfigError(f"run serve: max_ms={max_ms:g} is for models of texts, but {exported.identity} reads sounds. "
                          "Leave max_ms= out")  # fmt: skip


def milliseconds(text: str) -> float | None:
    """Return the value of max_ms=, None for ""; raise ConfigError for anything but a positive number."""
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise ConfigError(f"run serve: max_ms={text}: expected milliseconds per text, above 0. Try: max_ms=5")
    return found


def bind(host: str, port: int) -> tuple[socket.socket, bool]:
    """Return a socket on that address, and whether only this machine reaches it.

    Raises ConfigError if it is unavailable.
    """
    wanted = f"run serve: host={host} port={port}"
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"{wanted}: expected an address of this machine. {OTHER_HOSTS}") from error
    if address.version == 6:
        raise ConfigError(f"{wanted}: IPv6 is not supported. {OTHER_HOSTS}")
    try:
        return socket.create_server((host, port), backlog=BACKLOG), address.is_loopback
    except OSError as error:
        of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        cure = "Try: port=0 (any free one)" if of_port else OTHER_HOSTS
        raise ConfigError(f"{wanted}: {error.strerror or error}. {cure}") from error
