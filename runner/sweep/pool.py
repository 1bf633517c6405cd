"""Runs the processes of a sweep: one per job, as many at a time as there are cores for, and how each one ends.

A job that raises, is killed, crashes or takes too much memory is one row with its reason; the others go on.
Ctrl-C once: jobs end as a single run does, nothing new starts. Twice: all end at once.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from types import FrameType
from typing import Any

from runner.experiment import identity_index as index
from runner.experiment.outcome import Outcome
from runner.machine.facts import usable_cores
from runner.record import abandoned as stale
from runner.sweep.ledger import Ledger
from runner.sweep.plan import Job, look_up_record, output_of
from runner.sweep.worker import BUSY, MIRROR, RAISED, RETURNED, Running, Task, start

Overdue = Callable[[Job, float], str | None]
TICK_S = 0.2  # s between two checks of memory and clock; messages are received at once


class Pool:
    """Runs the jobs of one batch, and tells the ledger of every change."""

    def __init__(
        self, task: Task, ledger: Ledger, *, slots: int, memory_gb: float | None, stop_on_failure: bool,
        overdue: Overdue | None = None,
    ) -> None:  # fmt: skip
        """overdue: called at intervals with a job and its seconds so far; returns why the job is to end, None if it may
        go on.
        """
        self.overdue = overdue
        self.task, self.ledger = task, ledger
        self.slots, self.memory_gb, self.stop_on_failure = slots, memory_gb, stop_on_failure
        self.cores = usable_cores()
        self.gpus = visible_gpus()
        self.jobs_a_gpu = math.ceil(slots / max(1, len(self.gpus)))  # more than one only where sweep.jobs says so
        self.waiting: deque[Job] = deque()
        self.busy: deque[Job] = deque()  # another process is running them
        self.running: list[Running] = []
        self.interruptions = 0
        self.starved_before = oom_kills()

    def run(self, jobs: Sequence[Job]) -> None:
        """Run the jobs; each has its final status afterwards. Raises KeyboardInterrupt if there was one."""
        self.waiting.extend(jobs)
        with self._signals():
            while self.running or ((self.waiting or self.busy) and not self.interruptions):
                self._fill()
                if not self.running:
                    continue
                for pipe in wait([running.pipe for running in self.running], TICK_S):
                    self._hear(next(running for running in self.running if running.pipe is pipe))
                self._limit_memory()
                self._limit_time()
                self.ledger.tick(self.running, len(self.waiting) + len(self.busy))
        if self.interruptions:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self.interruptions += 1
        how = signal.SIGTERM if self.interruptions == 1 else signal.SIGKILL
        for running in self.running:
            if how == signal.SIGKILL:
                running.ended_for = "interrupted twice"
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, how)

    def _fill(self) -> None:
        """Start what fits: jobs x threads never exceeds the cores, and jobs are spread evenly over the GPUs."""
        while len(self.running) < self.slots and not self.interruptions:
            job, is_patient = self._next()
            if job is None:
                return
            needs_gpu = bool(self.gpus) and job.settings is not None and job.settings.device != "cpu"
            held = Counter(running.gpu for running in self.running)
            free = [gpu for gpu in sorted(self.gpus, key=held.__getitem__) if held[gpu] < self.jobs_a_gpu]
            used = sum(running.job.threads for running in self.running)
            if self.running and (used + job.threads > self.cores or (needs_gpu and not free)):
                (self.busy if is_patient else self.waiting).appendleft(job)
                return
            self._start(job, is_patient=is_patient, gpu=free[0] if needs_gpu else None)

    def _next(self) -> tuple[Job | None, bool]:
        """Return the next job that is not done yet, and whether to wait for it.

        Jobs that other processes are running come last.
        """
        while self.waiting:
            job = self.waiting.popleft()
            look_up_record(job)
            if job.status == "done":
                self.ledger.ended(job)
            elif job.status == "running":
                self.busy.append(job)
            else:
                return job, False
        # Nothing else is left to do but wait for the processes that run these.
        return (self.busy.popleft(), True) if self.busy else (None, False)

    def _start(self, job: Job, *, is_patient: bool, gpu: str | None) -> None:
        job.status, job.reason, job.log = "running", None, self.ledger.log(job)
        self.running.append(start(job, self.task, job.log, is_patient=is_patient, gpu=gpu))
        self.ledger.started(job)
        if self.interruptions:  # the signal came between the last check and the fork
            os.kill(self.running[-1].pid, signal.SIGTERM)

    def _hear(self, running: Running) -> None:
        """Read one message of a job, or notice that it has ended."""
        try:
            message, content = running.pipe.recv()
        except (EOFError, OSError):
            self._end(running)
            return
        if message == MIRROR:
            self.ledger.mirror(*content)
        else:
            running.answer = (message, content)

    def _end(self, running: Running) -> None:
        """Find out how a job ended whose process is gone."""
        running.pipe.close()
        _, state, usage = os.wait4(running.pid, 0)
        self.running.remove(running)
        job = running.job
        if running.answer is not None and running.answer[0] == BUSY and not self.interruptions:
            job.status = "new"
            self.busy.append(job)
            return
        job.seconds, job.peak_bytes = time.monotonic() - running.began, usage.ru_maxrss * KIB
        self._judge(running, os.waitstatus_to_exitcode(state))
        self.ledger.ended(job)
        if job.status == "failed" and self.stop_on_failure:
            self.waiting.clear()
            self.busy.clear()

    def _judge(self, running: Running, code: int) -> None:
        job = running.job
        message: str
        content: Any  # of an answer: the outcome, or the name and the text of an exception
        message, content = running.answer or ("", None)
        if message == RETURNED:
            _take_outcome(job, content)
            return
        if (message == RAISED and content[0] == "KeyboardInterrupt") or self.interruptions:
            job.status, job.reason = "killed", running.ended_for or "interrupted"
        elif message == RAISED:
            job.status, job.reason = "failed", ": ".join(filter(None, content))
        else:
            starved = code == -signal.SIGKILL and oom_kills() > self.starved_before
            out_of_memory = f"out of memory: the system ended it, it held up to {job.peak_bytes or 0:,} bytes"
            job.status, job.reason = "failed", running.ended_for or (out_of_memory if starved else end_reason(code))
        _close_record(job)

    def _limit_memory(self) -> None:
        """End the jobs that hold more memory than sweep.memory_gb."""
        for running in self.running:
            held = resident_bytes(running.pid)
            running.peak_bytes = max(running.peak_bytes, held)
            if self.memory_gb is not None and held > self.memory_gb * 1e9 and running.ended_for is None:
                running.ended_for = (
                    f"out of memory: held {held / 1e9:.2f} GB, more than sweep.memory_gb={self.memory_gb:g}"
                )
                os.kill(running.pid, signal.SIGKILL)

    def _limit_time(self) -> None:
        """End overdue jobs as Ctrl-C would, so that their checkpoints are kept."""
        for running in self.running:
            if self.overdue is None or running.ended_for is not None:
                continue
            running.ended_for = self.overdue(running.job, time.monotonic() - running.began)
            if running.ended_for is not None:
                os.kill(running.pid, signal.SIGTERM)


KIB = 1 if sys.platform == "darwin" else 1024  # what ru_maxrss counts in


def _take_outcome(job: Job, outcome: Outcome) -> None:
    """Bring a job up to date with the outcome that its process returned."""
    job.outcome, job.was_done = outcome, outcome.was_done  # finished by another process while this one waited
    if job.was_done and outcome.record:
        # What the run took, not how long this process waited for it, and not the memory of the waiting.
        job.seconds, job.peak_bytes = outcome.record.metrics.get("time/total_s"), None
    if outcome.record is None:
        job.status, job.reason = "failed" if outcome.exit_code else "done", outcome.reason
        return
    job.record = outcome.record
    job.status, job.reason, job.identity = job.record.status, job.record.reason, job.record.identity


def _close_record(job: Job) -> None:
    """Close the record of a job whose process could not do it."""
    if job.settings is None:
        return
    output = output_of(job.settings)
    job.identity = index.recall(output, index.key(job.settings, job.overrides)) or job.identity
    if job.identity:
        stale.close(output / job.identity, job.status, job.reason or "")


def oom_kills() -> int:
    """Return how many processes of this control group the kernel has killed for lack of memory; 0 if unknown."""
    try:
        lines = Path("/sys/fs/cgroup/memory.events").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


def end_reason(code: int) -> str:
    """Return the reason why a process ended, in words. code: its exit code, or minus the number of a signal."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name
    known = {
        "SIGSEGV": "crashed: segmentation fault (SIGSEGV)",
        "SIGBUS": "crashed: bus error (SIGBUS), often a full disk or shared memory",
        "SIGABRT": "crashed: aborted (SIGABRT)",
        "SIGFPE": "crashed: arithmetic error (SIGFPE)",
        "SIGILL": "crashed: illegal instruction (SIGILL)",
        "SIGKILL": "killed from outside (SIGKILL), by a person or by the system for lack of memory",
    }
    return known.get(name, f"killed by {name}")


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process now; 0 if unknown."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def visible_gpus() -> list[str]:
    """Return the CUDA devices that jobs may get, one each, by the names of CUDA_VISIBLE_DEVICES; needs no torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]
