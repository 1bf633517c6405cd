"""Runs one job in its own process: a fork of the sweep's process, which has loaded torch and computed nothing.

So a job starts in milliseconds, in the same clean state as a single run, and a crash affects no other job. It writes to
its own log, ends when its parent is gone, and sends through a pipe folders to mirror and its outcome.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from runner.experiment.context import Busy, RunContext
from runner.sweep.plan import Job
from runner.track.settings import TrackerSettings

if TYPE_CHECKING:
    from hydra.types import HydraContext

GRACE_S = 5.0  # s to write its record after the parent is gone
FIRST_TO_GO = 500  # of -1000..1000: when memory runs out, the kernel kills a job, not the sweep
# Its kind, and for MIRROR the arguments of Ledger.mirror, else the outcome, or an error's name and text.
Message = tuple[str, Any]
MIRROR, RETURNED, RAISED, BUSY = "mirror", "returned", "raised", "busy"


@dataclass
class Task:
    """The function that runs each job of a sweep, and its surroundings."""

    function: Callable[..., object]  # of a config and a RunContext; returns the outcome
    context: HydraContext
    jobs: int  # side by side
    alive: tuple[int, int]  # a pipe that only the parent can write to: it closes when the parent ends


@dataclass
class Running:
    """A job's process, seen from the parent."""

    job: Job
    pid: int
    pipe: Connection
    gpu: str | None
    began: float = field(default_factory=time.monotonic)
    peak_bytes: int = 0
    ended_for: str | None = None  # why the parent ended it
    answer: Message | None = None  # the last message


def start(job: Job, task: Task, log: Path, *, is_patient: bool, gpu: str | None) -> Running:
    """Fork the job's process; it writes to `log`."""
    receiver, sender = Pipe(duplex=False)
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal must not arrive before the child has its own handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    pid = os.fork()
    if pid == 0:
        receiver.close()
        context = RunContext(task.jobs, is_patient, lambda settings, _output: Relay(sender, settings))
        _live(job, task, log, sender, context, gpu)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    sender.close()
    return Running(job, pid, receiver, gpu)


class Relay:
    """The mirror of a job of a sweep: it asks the parent, whose one process mirrors all runs."""

    def __init__(self, sender: Connection, settings: TrackerSettings) -> None:
        self.sender, self.settings = sender, settings

    def request(self, folder: Path) -> None:
        """Ask for the folder to be mirrored as it is now."""
        with contextlib.suppress(BrokenPipeError):
            self.sender.send((MIRROR, (asdict(self.settings), str(folder))))

    def close(self, _timeout_s: float | None = None) -> None:
        """Return at once: the parent waits for its mirror."""


def _live(job: Job, task: Task, log: Path, sender: Connection, context: RunContext, gpu: str | None) -> None:
    """Run the job and exit; never returns into the parent's code."""
    code = 1
    try:
        _settle(task, log, gpu)
        sender.send(_run(job, task, context))
        code = 0
    except BrokenPipeError:
        pass  # the parent is gone: nobody reads the message
    except BaseException:  # the outermost frame of the process
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _settle(task: Task, log: Path, gpu: str | None) -> None:
    """Set up this fork: output, signals, memory, GPU."""
    reading, writing = task.alive
    os.close(writing)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(source, target)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115
    faulthandler.enable(sys.stderr, all_threads=False)
    # Ctrl-C in the terminal reaches the whole process group; the parent passes it on as SIGTERM, once and in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    threading.Thread(target=_watch, args=(reading,), daemon=True).start()
    # Memory: reset the peak to this process's own, and let the kernel kill it first when memory runs out. Linux only.
    for name, text in (("clear_refs", "5"), ("oom_score_adj", str(FIRST_TO_GO))):
        with contextlib.suppress(OSError):
            Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu


_orphaned = False


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt("the sweep's process ended" if _orphaned else "interrupted")


def _watch(reading: int) -> None:
    """Wait for the parent's end, then end this process: first as Ctrl-C would, then for good."""
    global _orphaned
    while os.read(reading, 1):
        pass
    _orphaned = True
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.kill(os.getpid(), signal.SIGKILL)


def _run(job: Job, task: Task, context: RunContext) -> Message:
    """Call the job function as Hydra's own launcher does, and return the message for the parent."""
    from hydra.core.utils import JobStatus, run_job, setup_globals

    setup_globals()
    try:
        assert job.config is not None, "only composed jobs are started"
        done = run_job(
            hydra_context=task.context, task_function=partial(task.function, context=context), config=job.config,
            job_dir_key="hydra.sweep.dir", job_subdir_key="hydra.sweep.subdir",
        )  # fmt: skip
    except KeyboardInterrupt as interruption:
        return RAISED, ("KeyboardInterrupt", str(interruption))
    value = done._return_value
    if isinstance(value, Busy):
        return BUSY, None
    if done.status != JobStatus.COMPLETED:
        traceback.print_exception(value)
        return RAISED, (type(value).__name__, str(value))
    try:
        pickle.dumps(value)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        return RAISED, (type(error).__name__, f"what the job returned cannot be sent back: {error}")
    return RETURNED, value
