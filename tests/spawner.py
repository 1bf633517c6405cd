"""Run the helper processes that a command starts as forks of a process that has already imported their libraries.

`interpreter()` writes a program that replaces python. For `-m module words...` with one of HELPERS, it runs
tests/stand_in.py, which asks `serve` for a fork with the same stdin, stdout, stderr, folder and environment, forwards
signals to it, and exits with its exit code. Any other command line starts a new interpreter.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import select
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.track.environment import set_mlflow_environment

# The modules that may run in a fork, and what is imported for each before forking.
HELPERS = {
    "runner.track.process": (
        "mlflow", "mlflow.tracking.client", "mlflow.store.tracking.sqlalchemy_workspace_store", "alembic.command",
        "alembic.config", "runner.track.sweeps", "runner.track.sync",
    ),
    "submitit.core._submit": ("submitit.core.submission",),
}  # fmt: skip
# Prefixes of variables that are read when an interpreter starts or a library is imported.
READ_EARLY = ("PYTHON", "OMP_", "MKL_", "OPENBLAS_", "RAYON_", "TORCH_")
Live = Callable[[str, list[str], str, dict[str, str], list[int]], Any]


def interpreter(folder: Path) -> Path:
    """Write the program that replaces sys.executable; it connects to the socket of `listen(folder)`."""
    path = folder / "python"
    client = Path(__file__).with_name("stand_in.py")
    words = [sys.executable, "-IS", str(client), sys.executable, str(folder / "socket")]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def listen(folder: Path) -> socket.socket:
    """Open the socket that the program in this folder connects to."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "socket"))
    listener.listen()
    return listener


def serve(listener: socket.socket, live: Live) -> None:
    """Serve fork requests until the parent process ends. In a fork, `live` ends when its program ends."""
    ours, parent = early(os.environ), os.getppid()
    ended, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(signalled)
    askers: dict[int, socket.socket] = {}
    while os.getppid() == parent:
        ready = select.select([listener, ended, *askers.values()], [], [], 1.0)[0]
        if listener in ready:
            asker = listener.accept()[0]
            question, files = receive(asker)
            module = module_of(question["words"])
            if module is None or early(question["env"]) != ours:
                asker.close()
            elif (pid := fork(module, files)) == 0:
                for other in (listener, asker, *askers.values()):
                    other.close()
                words = question["words"]
                live(module, words[words.index("-m") + 2 :], question["cwd"], question["env"], files)
            else:
                asker.sendall(b"+")
                askers[pid] = asker
            for file in files:
                os.close(file)
        for pid in [pid for pid, asker in askers.items() if asker in ready]:
            numbers = askers[pid].recv(64)
            for number in numbers or [signal.SIGKILL]:  # the client has gone
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if not numbers:
                askers.pop(pid).close()
        if ended in ready:
            os.read(ended, 64)
            tell_the_ended(askers)


def fork(module: str, files: list[int]) -> int:
    """Import what the module needs, then fork; the fork resets signal handling and starts its own session."""
    if any(name not in sys.modules for name in HELPERS[module]):
        set_mlflow_environment()
        for name in HELPERS[module]:
            importlib.import_module(name)
        gc.freeze()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
    return pid


def tell_the_ended(askers: dict[int, socket.socket]) -> None:
    """Reap the forks that have ended, and send each exit code to its client."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        if asker := askers.pop(pid, None):
            with contextlib.suppress(BrokenPipeError):  # the client has gone
                asker.sendall(str(os.waitstatus_to_exitcode(status)).encode())
            asker.close()


def module_of(words: list[str]) -> str | None:
    """The module of `-P -u -m module words...`, both options optional, if it is one of HELPERS; else None."""
    if "-m" not in words or not {"-P", "-u"}.issuperset(words[: words.index("-m")]):
        return None
    name = words[words.index("-m") + 1]
    return name if name in HELPERS else None


def early(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with a prefix in READ_EARLY; of PYTHONPATH only the first folder, which decides on imports."""
    found = {name: value for name, value in environment.items() if name.startswith(READ_EARLY)}
    return found | {"PYTHONPATH": found.get("PYTHONPATH", "").split(os.pathsep)[0]}


def receive(asker: socket.socket) -> tuple[Any, list[int]]:
    """Receive a question, one line of JSON, and its three file descriptors."""
    files = array.array("i", [0, 0, 0])
    said, notes, _, _ = asker.recvmsg(65536, socket.CMSG_SPACE(len(files) * files.itemsize))
    while not said.endswith(b"\n"):
        said += asker.recv(65536)
    return json.loads(said), list(array.array("i", notes[0][2]))
