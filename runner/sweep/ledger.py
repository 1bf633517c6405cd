"""Keeps the state of a running sweep: sweep.json, the logs, the mirror, and at its end the comparison.

The folder of a sweep is <paths.output>/sweeps/<id>; the id is a hash of the set of its jobs, so that the same command
again is the same sweep.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data.json_types import JsonObject
from runner.compare.report import write_report
from runner.compare.short_table import show_runs
from runner.record import abandoned
from runner.record.command import essential
from runner.record.folder import read_record, remove_unfinished
from runner.record.json_files import now
from runner.record.next_step import next_command
from runner.record.record import RecordError, RunRecord
from runner.record.selection import best_record
from runner.record.sweep_record import SweepRecord, SweepRun, read_sweep, sweep_folder, write_sweep
from runner.sanitize import mask, say
from runner.sweep.plan import Job, output_of
from runner.sweep.settings import SweepSettings
from runner.sweep.table import SearchTable, Table
from runner.sweep.worker import Running
from runner.track.mirror import Mirror, start_mirror
from runner.track.settings import TrackerSettings

if TYPE_CHECKING:
    from filelock import BaseFileLock

EVERY_S = 1.0  # between two writings of sweep.json
AFTER_CTRL_C_S = 1.2  # as after a single run: an interrupted command ends within two seconds


def sweep_identity(jobs: Sequence[Sequence[str]]) -> str:
    """Return the ten hexadecimal digits that name a set of jobs; how and where they are run is left out."""
    return hashlib.sha256(json.dumps(sorted({tuple(sorted(_telling(job))) for job in jobs})).encode()).hexdigest()[:10]


def _telling(job: Sequence[str]) -> list[str]:
    """Return the overrides by which a job differs from others, though a run's own name does not need all of them."""
    return [*essential(job), *(word for word in job if word.startswith(("finished=", "calibration=")))]


@dataclass(frozen=True)
class Search:
    """The sweep of a search, which launches one batch after the other."""

    identity: str  # its id, which is not the hash of its jobs
    name_of: Callable[[Sequence[str]], str]  # the name of a job on the screen, from its overrides


class Ledger:
    """One running sweep: its record, its screen, its logs and its mirror."""

    def __init__(
        self, overrides: list[str], jobs: list[Job], sweep: SweepSettings, slots: int, search: Search | None = None,
        study: str | None = None,
    ) -> None:  # fmt: skip
        """search: one that launches only missing runs; those already in its sweep.json stay there. study: of Optuna."""
        first = jobs[0].settings
        if first is None:
            raise ValueError("the first job was not composed")
        self.jobs, self.slots, self.output, self.tracker = jobs, slots, output_of(first), first.tracker
        self.is_search = search is not None
        identity = search.identity if search else sweep_identity([job.overrides for job in jobs])
        self.folder = sweep_folder(self.output, identity)
        self.earlier = earlier_runs(self.folder) if self.is_search else []
        self.record = SweepRecord(
            identity, sweep.name, sweep.question, overrides, claims=sweep.claims, baseline=sweep.baseline,
            started=now(), study=study,
        )  # fmt: skip
        self.table = SearchTable(jobs, slots, search.name_of) if search else Table(jobs, slots, overrides)
        self._mirrors: dict[str, Mirror | None] = {}
        self._written = 0.0
        self._lock: BaseFileLock | None = None

    def open(self) -> None:
        """Begin: close the records of dead processes, and print how much there is to do."""
        from filelock import FileLock, Timeout

        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.folder / ".lock")
        with contextlib.suppress(Timeout):  # the same sweep runs in another terminal: both go on, no run is done twice
            self._lock.acquire(timeout=0)
            remove_unfinished(self.folder)
            for log in (self.folder / "logs").glob("*.txt"):  # of a sweep that was killed
                _mask_file(log)
        self.table.open(self.record.title, self.record.question)
        for folder in abandoned.close_all(self.output):
            self.table.say(f"run {folder.name} was left open by a process that is gone; closed as killed")
            self._request(self.tracker, folder)
        self.write()
        if any(not job.was_done for job in self.jobs):
            self._request(self.tracker, self.folder)

    def extend(self, jobs: list[Job]) -> None:
        """Add a further batch of the same sweep: a search asks for one after the other."""
        self.jobs.extend(jobs)

    def log(self, job: Job) -> Path:
        """Return where the output of a job goes while it runs; not to the same file as in a second terminal."""
        is_first = self._lock is not None and self._lock.is_locked
        return self.folder / "logs" / f"{job.number:04d}{'' if is_first else f'-{os.getpid()}'}.txt"

    def started(self, job: Job) -> None:
        """A job's process has begun."""
        self.table.started(job)

    def ended(self, job: Job) -> None:
        """A job has its final status."""
        if job.log and job.log.exists():
            _mask_file(job.log)
            folder = self.output / job.identity if job.identity and not job.was_done else None
            if folder and folder.is_dir():
                job.log = job.log.replace(folder / "log.txt")
                self._request(job.settings.tracker if job.settings else self.tracker, folder)
        self.table.ended(job)
        if not job.was_done:
            self._request(self.tracker, self.folder)

    def tick(self, running: Sequence[Running], waiting: int) -> None:
        """Bring screen and file up to date at intervals."""
        self.table.update(running, waiting)
        if time.monotonic() - self._written > EVERY_S:
            self.write()

    def mirror(self, settings: JsonObject, folder: str) -> None:
        """A job asks for its folder to be mirrored."""
        self._request(TrackerSettings(**settings), Path(folder))

    def _request(self, settings: TrackerSettings, folder: Path) -> None:
        """Ask for a folder to be mirrored; one process mirrors all runs, or one for each tracker that is swept."""
        key = repr(settings)
        if key not in self._mirrors:
            self._mirrors[key] = start_mirror(settings, self.output)
        if mirror := self._mirrors[key]:
            mirror.request(folder)

    def write(self) -> None:
        """Write sweep.json."""
        self._written = time.monotonic()
        runs = [sweep_run(job) for job in self.jobs]
        if self.is_search:
            runs = latest([*self.earlier, *runs])
        self.record = replace(self.record, runs=runs)
        write_sweep(self.folder, self.record)

    def close(self, interrupted: bool) -> None:
        """End: the table, the report, the final file, and the mirror brought up to date with all of them."""
        states = {job.status for job in self.jobs if not job.is_paused}
        self.table.close()
        try:
            if not interrupted:
                report_sweep(self._records(), self.folder, self.record, is_shown=not self.is_search)
        finally:
            status = "killed" if interrupted else "failed" if states & {"failed", "killed"} else "done"
            self.record = replace(self.record, status=status, ended=now())
            self.write()
            self._finish_mirrors(AFTER_CTRL_C_S if interrupted else None)
            if self._lock is not None:
                self._lock.release()

    def _records(self) -> list[RunRecord]:
        """Return the records of all runs, those of the earlier launches of a search first."""
        own = [job.record for job in self.jobs if job.record]
        known = {record.identity for record in own}
        names = dict.fromkeys(run.identity for run in self.earlier if run.identity and run.identity not in known)
        found = [read_record(self.output / name) for name in names]
        return [record for record in found if record] + list({record.identity: record for record in own}.values())

    def _finish_mirrors(self, wait_s: float | None) -> None:
        if any(self._mirrors.values()):
            self._request(self.tracker, self.folder)
        for mirror in filter(None, self._mirrors.values()):
            problem = mirror.close(wait_s)
            if problem:
                self.table.say(problem)


def _mask_file(log: Path) -> None:
    """Mask the credentials in a log: libraries log addresses, and MLflow gets the file."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if mask(text) != text:
        log.write_text(mask(text), encoding="utf-8")


def earlier_runs(folder: Path) -> list[SweepRun]:
    """Return the runs that the sweep.json of a folder has; none where there is no such file, or a damaged one."""
    with contextlib.suppress(RecordError):
        return read_sweep(folder).runs
    return []


def latest(runs: Sequence[SweepRun]) -> list[SweepRun]:
    """Return the last entry of each job, in order of the first entries.

    A job that was paused or interrupted has several entries.
    """
    return list({tuple(run.overrides): run for run in runs}.values())


def sweep_run(job: Job) -> SweepRun:
    """Return a job as sweep.json has it."""
    return SweepRun(job.identity, essential(job.overrides), job.status, job.reason, job.seconds, job.peak_bytes)


def report_sweep(records: list[RunRecord], folder: Path, sweep: SweepRecord, *, is_shown: bool = True) -> None:
    """Print the finished runs of a sweep side by side, and write the report into its folder.

    The report is attached to the sweep's parent run in MLflow, as every file in the folder is. It names the runs that
    did not finish, and leaves them out. is_shown: print the comparison too.
    """
    done = [record for record in records if record.status == "done"]
    if not done:
        return
    output = folder.parent.parent
    if len(done) > 1 and is_shown:
        show_runs(done, output)
    files = write_report(
        records, folder, title=sweep.title, question=sweep.question, claims=sweep.claims, baseline=sweep.baseline
    )
    if is_shown:
        say(f"report: {files[0]}")
        say(f"next: {next_command(best_record(done) or done[-1], output)}")
