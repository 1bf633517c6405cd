"""The helper process of a run: imports mlflow and mirrors run folders while the training goes on.

Started by mirror.py. Reads JSON lines from stdin: first {"settings": {...}, "output": path}, then
{"sync": folder, "id": n}, and {"end": true} or the end of input. Answers each request on stdout with
{"sync": folder, "id": n, "problem": null or one line}.
Settings come through the pipe because a process list shows arguments, and an address may hold a password.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

from data.json_types import JsonObject
from runner.sanitize import MaskedStream, mask
from runner.track.connection import MlflowTarget, connect
from runner.track.errors import TrackError
from runner.track.folder import note_problem
from runner.track.settings import TrackerSettings
from runner.track.sweeps import close_orphaned_runs, is_sweep, sync_sweep
from runner.track.sync import sync_run

NICENESS = 5  # so that training on the same cores has priority


class MirrorWorker:
    """Mirrors the requested folders one after the other; MLflow is opened once."""

    def __init__(self, settings: TrackerSettings, output: Path, replies: TextIO) -> None:
        self.settings, self.output, self.replies = settings, output, replies
        self.target: MlflowTarget | None = None

    def connect(self) -> None:
        """Open MLflow while the training starts; if this fails, the first request tries again and reports it."""
        if self.target is None:
            target = connect(self.settings, self.output)
            close_orphaned_runs(target, self.output)
            self.target = target

    def sync(self, folder: str, number: int) -> None:
        """Mirror one folder and answer."""
        self.answer({"sync": folder, "id": number, "problem": self._attempt(Path(folder))})

    def _attempt(self, folder: Path) -> str | None:
        try:
            self.connect()
            (sync_sweep if is_sweep(folder) else sync_run)(folder, self.settings, self.target)
        except TrackError as error:
            reason = mask(str(error))
        except Exception as error:  # outermost handler: the run must get an answer, whatever happened
            reason = mask(f"{type(error).__name__}: {error}")
            sys.excepthook(type(error), error, error.__traceback__)
        else:
            return None
        note_problem(folder, reason)
        print(f"{folder}: {reason}", file=sys.stderr, flush=True)
        return reason

    def answer(self, message: JsonObject) -> None:
        """Send one line; if the run has stopped listening, work continues."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(message), file=self.replies, flush=True)


def main() -> None:
    """Serve one run until its pipe ends."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    # Output of libraries must not mix with the answers: it goes to the log, like stderr.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr = MaskedStream(sys.stderr)
    messages: queue.Queue[JsonObject | None] = queue.Queue()
    # A separate thread reads, so that the run's small writes never fill the pipe while mlflow is being imported.
    threading.Thread(target=_read, args=(messages,), daemon=True).start()
    first = messages.get()
    if first is None:
        return
    worker = MirrorWorker(TrackerSettings(**first["settings"]), Path(first["output"]), replies)
    try:
        worker.connect()
    except Exception as error:  # whatever it is: the first request tries again and reports it
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    _serve(worker, messages)
    sys.stdout.flush()
    # Every answer is sent and every write committed; mlflow's thread pools would only delay the exit.
    os._exit(0)


def _read(messages: queue.Queue[JsonObject | None]) -> None:
    for line in sys.stdin:
        message = json.loads(line)
        messages.put(None if "end" in message else message)
    messages.put(None)


def _serve(worker: MirrorWorker, messages: queue.Queue[JsonObject | None]) -> None:
    ended = False
    while not ended:
        batch = [messages.get()]
        with contextlib.suppress(queue.Empty):
            while True:
                batch.append(messages.get_nowait())
        ended = None in batch
        # Several pending requests for one folder need one attempt: the last covers all.
        latest = {message["sync"]: message["id"] for message in batch if message is not None}
        for folder in sorted(latest, key=lambda name: is_sweep(Path(name))):  # sweeps last: they look up their runs
            worker.sync(folder, latest[folder])


if __name__ == "__main__":
    main()
