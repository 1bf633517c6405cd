"""Tracking inside the run's process: asks a helper process to mirror the run folder, without waiting for it.

    mirror = start_mirror(settings, output)      # None with tracker=none
    mirror.request(folder)                # at the start, after each epoch, at the end
    problem = mirror.close()              # None, or one line for the user

A request costs the run well under a millisecond; the helper imports mlflow and writes to it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from data.json_types import Json, JsonObject
from runner.machine.child_process import child_environment
from runner.track.folder import note_problem
from runner.track.settings import TrackerSettings
from runner.track.sync_command import sync_command

LOG = "mlflow.log"
EXIT_S = 0.5  # an idle helper is gone within milliseconds

_left: list[subprocess.Popen[bytes]] = []  # helpers that still had work when their run ended; reaped later


def start_mirror(settings: TrackerSettings, output: Path) -> Mirror | None:
    """Start the helper process and return its mirror; None with tracker=none."""
    return None if settings.name == "none" else Mirror(settings, output)


class Mirror:
    """A helper process that mirrors run folders, for one run or for several in turn."""

    def __init__(self, settings: TrackerSettings, output: Path) -> None:
        self.settings = settings
        self._log = output / LOG
        self._pending: dict[str, int] = {}  # folder -> number of its last request
        self._problems: dict[str, str] = {}  # folder -> why its last attempt failed
        self._count = 0
        self._unread = b""
        self._broken: str | None = None
        self._process = self._start(output)
        if self._process is not None:
            self._send({"settings": asdict(settings), "output": str(output.resolve())})

    @property
    def pid(self) -> int | None:
        """Return the process id of the helper; None if it did not start."""
        return self._process.pid if self._process else None

    def request(self, folder: Path) -> None:
        """Ask for the folder to be mirrored as it is now; returns at once and never raises."""
        self._count += 1
        name = str(folder.resolve())
        self._pending[name] = self._count
        self._problems.pop(name, None)
        self._send({"sync": name, "id": self._count})
        self._receive(0.0)  # the answers must not fill their pipe

    def wait(self, timeout_s: float | None = None) -> str | None:
        """Wait until all requests are mirrored and return None, or one line on what is missing after `timeout_s`.

        timeout_s: by default `wait_s` of the settings; use 1.5 after Ctrl-C.
        """
        end = time.monotonic() + (self.settings.wait_s if timeout_s is None else timeout_s)
        while self._pending and self._broken is None:
            left = end - time.monotonic()
            if left <= 0:
                break
            self._receive(left)
        return self._report()

    def close(self, timeout_s: float | None = None) -> str | None:
        """Wait as `wait` does, then let the helper exit on its own; it finishes pending work without the run."""
        problem = self.wait(timeout_s)
        if self._process is None:
            return problem
        self._send({"end": True})
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        try:
            self._process.wait(EXIT_S if problem is None else 0)
        except subprocess.TimeoutExpired:
            _left.append(self._process)
        self._process = None
        return problem

    def _start(self, output: Path) -> subprocess.Popen[bytes] | None:
        _left[:] = [process for process in _left if process.poll() is None]
        try:
            output.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                process = subprocess.Popen(
                    # -P: do not import a folder named `runner` or `data` from the current directory.
                    [sys.executable, "-P", "-m", "runner.track.process"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=child_environment() | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
                    start_new_session=True,  # Ctrl-C in the terminal is for the run, not for its mirror
                    bufsize=0,
                )
        except OSError as error:
            self._broken = f"its helper process could not be started: {error}"
            return None
        if process.stdin and process.stdout:
            os.set_blocking(process.stdin.fileno(), False)
            os.set_blocking(process.stdout.fileno(), False)
        return process

    def _send(self, message: Json) -> None:
        if self._broken or self._process is None or self._process.stdin is None:
            return
        line = (json.dumps(message) + "\n").encode()
        try:
            written = self._process.stdin.write(line)
        except BrokenPipeError:
            self._broken = f"its helper ended early, see {self._log}"
            return
        if written != len(line):  # None or fewer: the pipe is full, as hundreds of requests went unread
            self._broken = "its helper does not respond"

    def _receive(self, timeout_s: float) -> None:
        """Process the answers that have arrived, waiting up to `timeout_s` for the first."""
        if self._broken or self._process is None or self._process.stdout is None:
            return
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            return
        chunk = self._process.stdout.read(65536)
        if chunk == b"":
            self._broken = f"its helper ended early, see {self._log}"
        *lines, self._unread = (self._unread + (chunk or b"")).split(b"\n")
        for line in lines:
            self._settle(json.loads(line))

    def _settle(self, answer: JsonObject) -> None:
        folder, problem = answer["sync"], answer["problem"]
        if answer["id"] < self._pending.get(folder, 0):
            return  # the answer to an older request; the newer one is still open
        self._pending.pop(folder, None)
        if problem:
            self._problems[folder] = problem

    def _report(self) -> str | None:
        if self._broken:
            for folder in self._pending:
                note_problem(Path(folder), self._broken)
            reason = self._broken if self._pending else None
        elif self._pending:
            reason = "it is still being written"
        else:
            reason = next(iter(self._problems.values()), None)
        if reason is None:
            return None
        cure = sync_command(self.settings, self._log.parent)
        return f"MLflow lacks part of this run, but its folder has everything: {reason.rstrip('.')}. Try: {cure}"
